#pragma once

#include <stdbool.h>
#include <stdint.h>

struct event_base;
struct workers;

/*
 * The end of all workers: each drains, and one that has not ended when its
 * time was up is killed.
 */
struct drain;

struct drain *drain_new(struct event_base *base, struct workers *workers);
void drain_free(struct drain **drain);

/* Connections have MS to end by themselves; 0: none. Again with less time
 * makes haste. */
void drain_begin(struct drain *drain, uint64_t ms);

bool drain_has_begun(const struct drain *drain);
