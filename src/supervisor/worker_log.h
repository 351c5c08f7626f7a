#pragma once

#include <stdint.h>
#include <sys/types.h>

/* The life of a worker as the log has it. INDEX is its place, PID who fills it
 * just now. */
void worker_log_started(unsigned index, pid_t pid);
void worker_log_leaves(unsigned index, pid_t pid, uint64_t connections);
void worker_log_left(unsigned index, pid_t pid);

/* STATUS as waitpid(2) gave it; RESPAWN_MS: until there is another one. */
#define WORKER_LOG_NO_RESPAWN UINT64_MAX
void worker_log_died(
	unsigned index, pid_t pid, int status, uint64_t respawn_ms);

/* It could not build what runs. */
void worker_log_stale(unsigned index, pid_t pid);
