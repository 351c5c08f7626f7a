/* The contexts of one generation, and what it has of the one before. */
#include "tls/tls_stock.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/hash_index.h"
#include "base/mem.h"
#include "conf/report.h"
#include "conf/settings.h"
#include "tls/tls_ctx.h"
#include "tls/tls_horizon.h"
#include "tls/tls_parsed.h"
#include "tls/tls_recipe.h"

struct item {
	struct tls_recipe recipe;
	struct tls_ctx *ctx; /* with an SSL_CTX of its own, and without names */
	int64_t from_s;      /* since the epoch: in between it would be made */
	int64_t until_s;     /* just the same */
};

struct tls_stock {
	struct file_source *files;
	const struct tls_stock *before;
	struct tls_recipe_taker *taker;
	struct tls_parsed *parsed;
	struct item *items;
	size_t n, size;
	struct hash_index by_recipe;
	size_t n_asked, n_reused, n_shared;
};

static int64_t clock_skew_s;

struct tls_stock *
tls_stock_new(struct file_source *files, const struct tls_stock *before)
{
	struct tls_stock *stock = xcalloc(1, sizeof *stock);

	stock->files = files;
	stock->before = before;
	stock->taker = tls_recipe_taker_new(files);
	stock->parsed = tls_parsed_new();
	return stock;
}

bool
tls_stock_complete_some(struct tls_stock *stock)
{
	tls_recipe_taker_free(&stock->taker);
	stock->files = NULL;
	stock->before = NULL;
	if (stock->parsed != NULL && tls_parsed_free_some(stock->parsed))
		return true;
	tls_parsed_free(&stock->parsed);
	return false;
}

void
tls_stock_complete(struct tls_stock *stock)
{
	while (tls_stock_complete_some(stock))
		continue;
}

void
tls_stock_free(struct tls_stock **stock)
{
	struct tls_stock *gone = *stock;

	*stock = NULL;
	if (gone == NULL)
		return;
	tls_stock_complete(gone);
	for (size_t i = 0; i < gone->n; i++)
		tls_ctx_unref(&gone->items[i].ctx);
	free(gone->items);
	hash_index_done(&gone->by_recipe);
	free(gone);
}

struct wanted {
	const struct tls_stock *stock;
	const struct tls_recipe *recipe;
};

static bool
is_wanted(size_t place, const void *arg)
{
	const struct wanted *wanted = arg;

	return memcmp(&wanted->stock->items[place].recipe, wanted->recipe,
		       sizeof *wanted->recipe) == 0;
}

/* NULL: STOCK (may be NULL) has none that would do now. */
static const struct item *
find(const struct tls_stock *stock, const struct tls_recipe *recipe,
	int64_t now_s)
{
	const struct wanted wanted = {stock, recipe};
	const struct item *item;
	size_t place;

	if (stock == NULL)
		return NULL;
	place = hash_index_find(
		&stock->by_recipe, recipe, sizeof *recipe, is_wanted, &wanted);
	if (place == HASH_INDEX_NONE)
		return NULL;
	item = &stock->items[place];
	return item->from_s <= now_s && now_s < item->until_s ? item : NULL;
}

/* Takes the context of ITEM. */
static const struct item *
add(struct tls_stock *stock, const struct item *item)
{
	if (stock->n == stock->size) {
		stock->size = stock->size == 0 ? 16 : stock->size * 2;
		stock->items = xreallocarray(
			stock->items, stock->size, sizeof *stock->items);
	}
	hash_index_add(&stock->by_recipe, &item->recipe, sizeof item->recipe,
		stock->n);
	stock->items[stock->n] = *item;
	return &stock->items[stock->n++];
}

/* NULL: there is none that would do. */
static const struct item *
look_up(struct tls_stock *stock, const struct tls_recipe *recipe, int64_t now_s)
{
	const struct item *item = find(stock, recipe, now_s);

	if (item != NULL) {
		stock->n_shared++;
		return item;
	}
	item = find(stock->before, recipe, now_s);
	if (item == NULL)
		return NULL;
	stock->n_reused++;
	(void)tls_ctx_ref(item->ctx);
	return add(stock, item);
}

/* What LISTENER gets of CTX, which is in stock: CTX itself if it has the same
 * names and none to come. */
static struct tls_ctx *
hand_out(struct tls_ctx *ctx, const struct listener_settings *listener,
	struct report *report)
{
	struct tls_ctx *own = tls_ctx_share(ctx, listener);

	if (own == NULL) {
		settings_report(listener, "certfile", 0, REPORT_ERROR, report,
			"the session id context cannot be made");
		return NULL;
	}
	if (listener->n_overlays > 0 || !tls_ctx_same_entrance(own, ctx))
		return own;
	tls_ctx_unref(&own);
	return tls_ctx_ref(ctx);
}

struct tls_ctx *
tls_stock_get(struct tls_stock *stock, const struct listener_settings *listener,
	struct report *report)
{
	struct item item = {.from_s = (int64_t)time(NULL) + clock_skew_s};
	size_t n_said = report_additions(report);
	const struct item *known = NULL;
	bool keeps;

	assert(stock->taker != NULL); /* it is not complete */
	keeps = listener->tls.keylog_filename == NULL &&
		tls_recipe_take(stock->taker, listener, &item.recipe);
	stock->n_asked++;
	if (keeps)
		known = look_up(stock, &item.recipe, item.from_s);
	if (known != NULL)
		return hand_out(known->ctx, listener, report);
	tls_parsed_use(stock->parsed);
	item.ctx = tls_ctx_new(listener, stock->files, report);
	tls_parsed_use(NULL);
	if (item.ctx == NULL || !keeps || report_additions(report) != n_said)
		return item.ctx;
	item.until_s = tls_horizon(tls_ctx_ssl(item.ctx), item.from_s);
	return hand_out(add(stock, &item)->ctx, listener, report);
}

void
tls_stock_skew(int64_t seconds)
{
	clock_skew_s = seconds;
}

size_t
tls_stock_count(const struct tls_stock *stock)
{
	return stock->n_asked;
}

size_t
tls_stock_reused(const struct tls_stock *stock)
{
	return stock->n_reused;
}

size_t
tls_stock_shared(const struct tls_stock *stock)
{
	return stock->n_shared;
}
