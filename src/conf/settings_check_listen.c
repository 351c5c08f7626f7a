#include "config.h"

#include "conf/settings_check_listen.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/addr.h"
#include "base/mem.h"
#include "conf/settings.h"

/* An address, and where it stands. */
struct entry {
	const struct addr *addr;
	const struct listener_settings *listener;
	size_t index; /* in its listen */
};

struct entries {
	struct entry *items; /* sorted by port, then as they stand */
	size_t n;
};

static int
compare(const void *left, const void *right)
{
	const struct entry *a = left;
	const struct entry *b = right;

	if (a->addr->port != b->addr->port)
		return a->addr->port < b->addr->port ? -1 : 1;
	if (a->listener != b->listener)
		return a->listener < b->listener ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

static struct entries
collect(const struct settings *settings)
{
	struct entries all = {0};

	for (size_t i = 0; i < settings->n_listeners; i++)
		all.n += settings->listeners[i].listen.n;
	all.items = xcalloc(all.n + 1, sizeof *all.items);
	all.n = 0;
	for (size_t i = 0; i < settings->n_listeners; i++) {
		const struct listener_settings *listener =
			&settings->listeners[i];

		for (size_t k = 0; k < listener->listen.n; k++)
			all.items[all.n++] = (struct entry){
				.addr = &listener->listen.items[k],
				.listener = listener,
				.index = k};
	}
	qsort(all.items, all.n, sizeof *all.items, compare);
	return all;
}

static void
report_overlap(const struct entry *entry, const struct entry *taken,
	struct report *report)
{
	char ours[ADDR_TEXT_MAX], theirs[ADDR_TEXT_MAX];

	settings_report(entry->listener, "listen", entry->index, REPORT_ERROR,
		report,
		"listen \"%s\" overlaps \"%s\" of [listener %s] in line %u",
		addr_format(entry->addr, ours),
		addr_format(taken->addr, theirs), taken->listener->name,
		settings_pos(taken->listener, "listen", taken->index).line);
}

/* What has no port, such as a path, stands with the ports of the kernel. */
void
settings_check_listen(const struct settings *settings, struct report *report)
{
	struct entries all = collect(settings);
	size_t first = 0; /* of that port */

	for (size_t i = 0; i < all.n; i++) {
		if (all.items[i].addr->port != all.items[first].addr->port)
			first = i;
		for (size_t k = first; k < i; k++) {
			if (addr_overlaps(all.items[i].addr, all.items[k].addr))
				report_overlap(
					&all.items[i], &all.items[k], report);
		}
	}
	free(all.items);
}
