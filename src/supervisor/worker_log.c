/* The life of a worker as the log has it. */
#include "supervisor/worker_log.h"

#include <stdio.h>
#include <sys/wait.h>

#include "base/log.h"

static void
say(enum log_level level, const char *message, unsigned index, pid_t pid,
	struct log_field more)
{
	const struct log_field fields[] = {
		{.key = "worker", .number = index},
		{.key = "pid", .number = (uint64_t)pid},
		more,
	};

	log_event(level, message, fields, sizeof fields / sizeof fields[0]);
}

void
worker_log_started(unsigned index, pid_t pid)
{
	say(LOG_LEVEL_NOTICE, "worker started", index, pid,
		(struct log_field){0});
}

void
worker_log_leaves(unsigned index, pid_t pid, uint64_t connections)
{
	say(LOG_LEVEL_NOTICE, "worker leaves", index, pid,
		(struct log_field){
			.key = "connections", .number = connections});
}

void
worker_log_left(unsigned index, pid_t pid)
{
	say(LOG_LEVEL_NOTICE, "worker left", index, pid, (struct log_field){0});
}

void
worker_log_died(unsigned index, pid_t pid, int status, uint64_t respawn_ms)
{
	char text[64];
	const struct log_field fields[] = {
		{.key = "worker", .number = index},
		{.key = "pid", .number = (uint64_t)pid},
		{.key = "status", .text = text},
		{.key = respawn_ms == WORKER_LOG_NO_RESPAWN ? NULL
							    : "respawn_ms",
			.number = respawn_ms},
	};

	if (WIFSIGNALED(status))
		(void)snprintf(text, sizeof text, "killed by signal %d",
			WTERMSIG(status));
	else
		(void)snprintf(text, sizeof text, "exit status %d",
			WEXITSTATUS(status));
	log_event(LOG_LEVEL_ERROR, "worker died", fields,
		sizeof fields / sizeof fields[0]);
}

void
worker_log_stale(unsigned index, pid_t pid)
{
	say(LOG_LEVEL_ERROR,
		"worker could not build what runs, its connections stay under "
		"the rules before",
		index, pid, (struct log_field){0});
}
