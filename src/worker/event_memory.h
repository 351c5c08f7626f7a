#pragma once

#include <stddef.h>

/*
 * Where libevent keeps its smallest blocks.
 *
 * libevent allocates 24 bytes for each descriptor number when it first watches
 * it, and keeps them for ever. Made in the middle of a wave of connections,
 * each of them pins a page among what those leave behind: two pages of the five
 * that a connection had. Here they lie side by side.
 */

/*
 * From now on blocks of up to EVENT_MEMORY_CELL bytes come from a place of
 * their own, as long as it has room for that many CELLS; all else from
 * malloc(). Before the first event base of the process, and once. Without
 * memory nothing changes. Address space only: pages cost when they are used.
 */
void event_memory_init(size_t cells);

#define EVENT_MEMORY_CELL 32
