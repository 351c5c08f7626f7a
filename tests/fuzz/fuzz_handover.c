/* What the supervisor of another binary leaves: the reader trusts none of it.
 */
#include "config.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "fuzz.h"
#include "supervisor/handover.h"

/* What could be read can be written, and reads the same. */
static void
write_again(const struct handover *handover)
{
	struct handover again;
	struct error err;
	int fd = handover_write(handover, &err);

	assert(fd >= 0);
	assert(handover_read(fd, &again, &err) == 0);
	assert(again.n_items == handover->n_items);
	assert(again.n_workers == handover->n_workers);
	assert(strcmp(again.program, handover->program) == 0);
	handover_done(&again);
	(void)close(fd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct handover handover;
	const struct handover_item *item;
	struct error err;
	unsigned kind;

	if (handover_decode((const char *)data, size, &handover, &err) < 0)
		return 0;
	assert(handover.public_fd > STDERR_FILENO);
	assert(handover.secret_fd > STDERR_FILENO);
	write_again(&handover);
	for (kind = 0; kind < HANDOVER_N_KINDS; kind++)
		while ((item = handover_take(
				&handover, (enum handover_kind)kind)) != NULL)
			assert((item->fd < 0) == (kind == HANDOVER_STORED));
	handover_done(&handover);
	return 0;
}
