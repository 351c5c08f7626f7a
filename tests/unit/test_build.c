#include "config.h"

#include "worker/build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway.h"
#include "packed.h"
#include "proxy/listener.h"
#include "proxy/proxy.h"
#include "sockets.h"
#include "tls/tls_stock.h"
#include "worker/generation.h"
#include "worker/generation_parts.h"

/* Three contexts: one for the listener, one for each name. */
static const char with_names[] =
	"certfile = gw.pem\nkeyfile = gw.key\n"
	"[server_name a]\nlistener = gw\nserver_name = a.example\n"
	"num_tickets = 1\n"
	"[server_name b]\nlistener = gw\nserver_name = b.example\n"
	"num_tickets = 0\n";

static struct build *
begin(struct gateway *g, const struct packed *packed,
	struct generation *generation)
{
	const struct build_parts parts = {packed->path, dup(packed->public_fd),
		dup(packed->secret_fd), NULL};

	if (g->proxy == NULL)
		g->proxy = proxy_new(g->base, g->stats, 10);
	return build_new(generation, g->proxy, &parts);
}

static size_t
contexts(const struct generation *generation)
{
	return generation->stock == NULL ? 0
					 : tls_stock_count(generation->stock);
}

static void
no_piece_has_two_contexts(void **state)
{
	struct gateway *g = *state;
	struct generation *generation = generation_new(7);
	struct packed packed;
	struct build *build;
	size_t before = 0;

	gateway_configure(g, with_names);
	packed = packed_new(g);
	build = begin(g, &packed, generation);
	packed_done(&packed);
	assert_int_equal(build_number(build), 7);
	while (build_step(build)) {
		assert_true(contexts(generation) <= before + 1);
		before = contexts(generation);
	}
	assert_int_equal(before, 3);
	assert_ptr_equal(build_take(build), generation);
	build_free(&build);
	assert_null(build);
	assert_int_equal(generation->n_listeners, 1);
	assert_int_equal(generation->listeners[0]->n_overlays, 2);
	generation_free(&generation);
}

static void
one_that_was_not_taken_goes_with_it(void **state)
{
	struct gateway *g = *state;
	struct generation *generation = generation_new(1);
	struct packed packed = packed_new(g);
	int socket = tcp_listen(&g->port);
	struct build *build;

	generation_add_socket(generation, "gw", socket);
	build = begin(g, &packed, generation);
	while (build_step(build))
		continue;
	assert_true(is_open(socket));
	build_free(&build);
	assert_false(is_open(socket));
	packed_done(&packed);
}

static void
it_can_be_given_up_anywhere(void **state)
{
	struct gateway *g = *state;
	struct packed packed;
	struct build *build;
	bool goes_on = true;
	int socket;

	gateway_configure(g, with_names);
	packed = packed_new(g);
	for (int steps = 0; goes_on; steps++) {
		struct generation *generation = generation_new(1);

		socket = tcp_listen(&g->port);
		generation_add_socket(generation, "gw", socket);
		build = begin(g, &packed, generation);
		for (int i = 0; i < steps && goes_on; i++)
			goes_on = build_step(build);
		build_free(&build);
		assert_false(is_open(socket));
	}
	packed_done(&packed);
}

static void
what_is_left_goes_piece_by_piece(void **state)
{
	struct gateway *g = *state;
	struct background *background;
	struct packed packed;
	struct build *build;

	gateway_configure(g, with_names);
	packed = packed_new(g);
	build = begin(g, &packed, generation_new(1));
	background = &g->proxy->background;
	while (build_step(build))
		continue;
	build_free(&build);
	background->n_pieces = 0;
	background_finish(background);
	/* Three sections, three listeners' settings, their files, and of the
	 * generation three contexts; no piece has two of them. */
	assert_true(background->n_pieces > 10);
	packed_done(&packed);
}

static void
all_that_is_wrong_with_its_names_is_found(void **state)
{
	struct gateway *g = *state;
	char *key = cert_key_pem(&g->ca, NULL);
	struct packed packed;
	struct generation *generation;

	fixture_write(g->it, "wrong.key", key);
	free(key);
	gateway_configure(g,
		"certfile = gw.pem\nkeyfile = gw.key\n"
		"[server_name a]\nlistener = gw\nserver_name = a.example\n"
		"certfile = gw.pem\nkeyfile = wrong.key\n"
		"[server_name b]\nlistener = gw\nserver_name = b.example\n"
		"certfile = gw.pem\nkeyfile = wrong.key\n");
	packed = packed_new(g);
	g->proxy = proxy_new(g->base, g->stats, 10);
	generation = packed_build(&packed, generation_new(1), g);
	assert_null(generation);
	fixture_assert_reported(g->it, "[server_name a]");
	fixture_assert_reported(g->it, "[server_name b]");
	packed_done(&packed);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, gateway_setup, gateway_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(no_piece_has_two_contexts),
		TEST(one_that_was_not_taken_goes_with_it),
		TEST(it_can_be_given_up_anywhere),
		TEST(what_is_left_goes_piece_by_piece),
		TEST(all_that_is_wrong_with_its_names_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
