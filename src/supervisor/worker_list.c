/* The places of workers. */
#include "supervisor/worker_list.h"

#include <stdlib.h>

#include "base/mem.h"

void
worker_list_done(struct worker_list *list)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		worker_slot_free(&list->items[i]);
	free(list->items);
	*list = (struct worker_list){0};
}

void
worker_list_add(struct worker_list *list, struct worker_slot *slot)
{
	list->items = xreallocarray(
		list->items, list->n + 1, sizeof(struct worker_slot *));
	list->items[list->n++] = slot;
}

void
worker_list_remove(struct worker_list *list, struct worker_slot *slot)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (list->items[i] == slot)
			break;
	list->n--;
	for (; i < list->n; i++)
		list->items[i] = list->items[i + 1];
	worker_slot_free(&slot);
}

static bool
serves(const struct worker_slot *slot)
{
	return worker_slot_order(slot) == WORKER_SERVE;
}

size_t
worker_list_count(const struct worker_list *list, enum worker_order order)
{
	size_t n = 0, i;

	for (i = 0; i < list->n; i++)
		if (worker_slot_order(list->items[i]) == order)
			n++;
	return n;
}

unsigned
worker_list_free_index(const struct worker_list *list)
{
	unsigned index = 0;
	size_t i = 0;

	while (i < list->n) {
		if (serves(list->items[i]) &&
			worker_slot_index(list->items[i]) == index) {
			index++;
			i = 0;
		} else {
			i++;
		}
	}
	return index;
}

bool
worker_list_all_have(const struct worker_list *list, uint64_t number,
	uint64_t (*what)(const struct worker_slot *slot))
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (serves(list->items[i]) && what(list->items[i]) != number)
			return false;
	return true;
}

void
worker_list_send(const struct worker_list *list, const struct message *m)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		worker_slot_send(list->items[i], m);
}

void
worker_list_drain(const struct worker_list *list, uint64_t ms)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		worker_slot_drain(list->items[i], ms);
}

size_t
worker_list_ping(const struct worker_list *list)
{
	size_t silent = 0, i;

	for (i = 0; i < list->n; i++)
		if (!worker_slot_ping(list->items[i]) && serves(list->items[i]))
			silent++;
	return silent;
}

uint64_t
worker_list_connections(const struct worker_list *list)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < list->n; i++)
		sum += worker_slot_connections(list->items[i]);
	return sum;
}
