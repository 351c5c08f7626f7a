#pragma once

#include <stdint.h>

struct stats;

/*
 * The numbers of one worker, in memory that the processes share which fill its
 * place one after the other (stats/stats.h). Without that memory nothing is
 * counted, and everything is 0: a line in the log has said why. The storage is
 * the caller's.
 */
struct worker_numbers {
	int fd; /* for the process; -1: there is none */
	struct stats *stats;
};

void worker_numbers_init(struct worker_numbers *numbers);

/* Those of a worker that lives already. Takes FD; -1: it counts nothing. */
void worker_numbers_adopt(struct worker_numbers *numbers, int fd);

void worker_numbers_done(struct worker_numbers *numbers);

/* Open connections. */
uint64_t worker_numbers_connections(const struct worker_numbers *numbers);

/* Nobody fills the place: no connection is open. */
void worker_numbers_vacate(struct worker_numbers *numbers);
