#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisor/worker_slot.h"

/* The places of workers, whatever each is ordered to do. Zero-initialised is
 * empty; in the caller's storage. Owns the places. */
struct worker_list {
	struct worker_slot **items;
	size_t n;
};

void worker_list_done(struct worker_list *list);
void worker_list_add(struct worker_list *list, struct worker_slot *slot);

/* Frees it. */
void worker_list_remove(struct worker_list *list, struct worker_slot *slot);

size_t worker_list_count(
	const struct worker_list *list, enum worker_order order);

/* The lowest index that none of those that serve has. */
unsigned worker_list_free_index(const struct worker_list *list);

/* Is NUMBER what WHAT gives of each that serves? */
bool worker_list_all_have(const struct worker_list *list, uint64_t number,
	uint64_t (*what)(const struct worker_slot *slot));

void worker_list_send(const struct worker_list *list, const struct message *m);
void worker_list_drain(const struct worker_list *list, uint64_t ms);

/* Returns how many of those that serve have not answered the last time. */
size_t worker_list_ping(const struct worker_list *list);

/* Open connections of all. */
uint64_t worker_list_connections(const struct worker_list *list);
