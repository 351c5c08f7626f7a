/* The worker's large buffers. */
#include "stream/scratch.h"

#include <stdlib.h>

#include "base/mem.h"

struct scratch *
scratch_new(void)
{
	struct scratch *scratch = xcalloc(1, sizeof *scratch);

	scratch->in = xcalloc(1, SCRATCH_READ_MAX);
	scratch->plain = xcalloc(1, SCRATCH_PLAIN_MAX);
	scratch->out = xcalloc(1, SCRATCH_WRITE_MAX);
	return scratch;
}

void
scratch_free(struct scratch **scratch)
{
	if (*scratch == NULL)
		return;
	mem_wipe((*scratch)->plain, SCRATCH_PLAIN_MAX);
	free((*scratch)->in);
	free((*scratch)->plain);
	free((*scratch)->out);
	free(*scratch);
	*scratch = NULL;
}
