#include "config.h"

#include "conf/settings_check_names.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/server_name.h"
#include "conf/settings.h"

/* A name, and where it stands. */
struct entry {
	const char *name;
	const struct listener_settings *overlay;
	size_t index; /* in its server_names */
};

struct entries {
	struct entry *items; /* sorted by name, then by line */
	size_t n;
};

static int
compare(const void *left, const void *right)
{
	const struct entry *a = left;
	const struct entry *b = right;
	int order = strcmp(a->name, b->name);

	if (order != 0)
		return order;
	if (a->overlay != b->overlay)
		return a->overlay < b->overlay ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

static struct entries
collect(const struct listener_settings *listener)
{
	struct entries all = {0};

	for (size_t i = 0; i < listener->n_overlays; i++)
		all.n += listener->overlays[i].server_names.n;
	all.items = xcalloc(all.n + 1, sizeof *all.items);
	all.n = 0;
	for (size_t i = 0; i < listener->n_overlays; i++) {
		const struct listener_settings *overlay =
			&listener->overlays[i];

		for (size_t k = 0; k < overlay->server_names.n; k++)
			all.items[all.n++] = (struct entry){
				.name = overlay->server_names.items[k],
				.overlay = overlay,
				.index = k};
	}
	qsort(all.items, all.n, sizeof *all.items, compare);
	return all;
}

static unsigned
line_of(const struct entry *entry)
{
	return settings_pos(entry->overlay, "server_name", entry->index).line;
}

static void
check_twice(const struct entries *all, struct report *report)
{
	const struct entry *first = all->items;

	for (size_t i = 1; i < all->n; i++) {
		const struct entry *entry = &all->items[i];

		if (strcmp(entry->name, first->name) != 0) {
			first = entry;
			continue;
		}
		settings_report(entry->overlay, "server_name", entry->index,
			REPORT_ERROR, report,
			"server_name \"%s\" given twice; first in line %u "
			"[server_name %s]",
			entry->name, line_of(first), first->overlay->name);
	}
}

/* The wildcard of the same section that stands for ENTRY's name anyway. An
 * exact name beside the wildcard of another section is there for a reason. */
static const struct entry *
find_cover(const struct entries *all, const struct entry *entry)
{
	const char *dot = strchr(entry->name, '.');
	struct entry key = {.overlay = entry->overlay};
	const struct entry *found = NULL;
	char *wildcard;

	if (dot == NULL || *entry->name == '*')
		return NULL;
	wildcard = xasprintf("*%s", dot);
	key.name = wildcard;
	for (size_t low = 0, high = all->n; low < high;) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(all->items[middle].name, wildcard);

		if (order == 0 && all->items[middle].overlay == key.overlay) {
			found = &all->items[middle];
			break;
		}
		if (compare(&all->items[middle], &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	free(wildcard);
	return found;
}

static void
check_use(const struct entries *all, struct report *report)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct entry *entry = &all->items[i];
		const struct entry *cover = find_cover(all, entry);

		if (cover != NULL)
			settings_report(entry->overlay, "server_name",
				entry->index, REPORT_WARNING, report,
				"server_name \"%s\" adds nothing to \"%s\" "
				"in line %u",
				entry->name, cover->name, line_of(cover));
		if (server_name_is_address(entry->name))
			settings_report(entry->overlay, "server_name",
				entry->index, REPORT_WARNING, report,
				"server_name \"%s\" is an address: clients "
				"send no name for it, so it never matches",
				entry->name);
	}
}

static bool
lacks_certfile(const struct listener_settings *listener)
{
	/* What is written and could not be understood was reported. */
	return listener->tls.certfile.n == 0 &&
	       settings_origin(listener, "certfile") == ORIGIN_DEFAULT;
}

/* A listener may do without where somebody else serves every client. */
static void
check_certfiles(const struct listener_settings *listener, struct report *report)
{
	static const char missing[] = "missing required key \"certfile\"";

	if (!lacks_certfile(listener))
		return;
	if (listener->n_overlays == 0)
		settings_report(listener, "certfile", 0, REPORT_ERROR, report,
			"%s", missing);
	else if (listener->tls.sni_mismatch == SNI_MISMATCH_DEFAULT)
		settings_report(listener, "sni_mismatch", 0, REPORT_ERROR,
			report,
			"sni_mismatch \"default\" needs a certfile in [listener "
			"%s]",
			listener->name);
	for (size_t i = 0; i < listener->n_overlays; i++) {
		if (lacks_certfile(&listener->overlays[i]))
			settings_report(&listener->overlays[i], "certfile", 0,
				REPORT_ERROR, report, "%s", missing);
	}
}

static void
check_mismatch(const struct listener_settings *listener, struct report *report)
{
	if (listener->n_overlays > 0 || listener->tls.certfile.n == 0 ||
		listener->tls.sni_mismatch != SNI_MISMATCH_REJECT)
		return;
	settings_report(listener, "sni_mismatch", 0, REPORT_ERROR, report,
		"sni_mismatch \"reject\" would refuse every client: no "
		"[server_name NAME] belongs to [listener %s]",
		listener->name);
}

void
settings_check_names(
	const struct listener_settings *listener, struct report *report)
{
	struct entries all = collect(listener);

	check_certfiles(listener, report);
	check_mismatch(listener, report);
	check_twice(&all, report);
	check_use(&all, report);
	free(all.items);
}
