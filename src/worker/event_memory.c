/* Where libevent keeps its smallest blocks. */
#include "worker/event_memory.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <event2/event.h>

/* Where the system sets no limit to descriptors. */
#define CELLS_MAX ((size_t)1 << 20)

union cell {
	union cell *next; /* of those that were given back */
	max_align_t align;
	unsigned char bytes[EVENT_MEMORY_CELL];
};

/* One for the process, as libevent's memory functions have no argument. */
static struct {
	union cell *cells;
	size_t size;
	size_t used; /* those behind were never given out */
	union cell *returned;
} place;

static bool
is_cell(const void *block)
{
	uintptr_t at = (uintptr_t)block, begin = (uintptr_t)place.cells;

	return at >= begin && at < begin + place.size * sizeof(union cell);
}

static void *
allocate(size_t size)
{
	union cell *cell = place.returned;

	if (size > sizeof *cell)
		return malloc(size);
	if (cell != NULL)
		place.returned = cell->next;
	else if (place.used < place.size)
		cell = &place.cells[place.used++];
	else
		return malloc(size);
	return cell;
}

static void
release(void *block)
{
	union cell *cell = block;

	if (!is_cell(block)) {
		free(block);
		return;
	}
	cell->next = place.returned;
	place.returned = cell;
}

static void *
resize(void *block, size_t size)
{
	void *larger;

	if (!is_cell(block))
		return realloc(block, size);
	if (size <= sizeof(union cell))
		return block;
	larger = malloc(size);
	if (larger == NULL)
		return NULL;
	memcpy(larger, block, sizeof(union cell));
	release(block);
	return larger;
}

void
event_memory_init(size_t cells)
{
	void *memory;

	assert(place.cells == NULL);
	if (cells > CELLS_MAX)
		cells = CELLS_MAX;
	memory = mmap(NULL, cells * sizeof(union cell), PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		return;
	place.cells = memory;
	place.size = cells;
	event_set_mem_functions(allocate, resize, release);
}
