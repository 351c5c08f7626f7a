/* The numbers of one worker, in shared memory. */
#include "supervisor/worker_numbers.h"

#include <stddef.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "stats/stats.h"

void
worker_numbers_init(struct worker_numbers *numbers)
{
	struct error err;
	int fd = stats_create_fd(&err);

	if (fd < 0)
		log_msg(LOG_LEVEL_ERROR, "%s", err.text);
	worker_numbers_adopt(numbers, fd);
}

void
worker_numbers_adopt(struct worker_numbers *numbers, int fd)
{
	struct error err;

	numbers->fd = fd;
	numbers->stats = NULL;
	if (fd < 0)
		return;
	numbers->stats = stats_map(fd, &err);
	if (numbers->stats == NULL)
		log_msg(LOG_LEVEL_ERROR, "%s", err.text);
}

void
worker_numbers_done(struct worker_numbers *numbers)
{
	stats_unmap(&numbers->stats);
	fd_close(&numbers->fd);
}

uint64_t
worker_numbers_connections(const struct worker_numbers *numbers)
{
	return numbers->stats == NULL
		       ? 0
		       : stats_get_gauge(numbers->stats, STATS_CONNECTIONS);
}

void
worker_numbers_vacate(struct worker_numbers *numbers)
{
	if (numbers->stats != NULL)
		stats_set(numbers->stats, STATS_CONNECTIONS, 0);
}
