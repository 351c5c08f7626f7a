/* What a child process is told on its command line. */
#include "ipc/child_args.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/units.h"

/* Positions in argv after the mark. */
enum {
	AT_ROLE = 2,
	AT_CHANNEL,
	AT_STATS,
	AT_SESSIONS,
	AT_MAX_CONNECTIONS,
	AT_LOG_FORMAT,
	AT_LOG_LEVEL,
	AT_SANDBOX,
	AT_USER,
	AT_GROUP,
	AT_END
};

/* What the numbers may be, so that nobody has to ask again. */
static const struct {
	int64_t min, max;
} ranges[] = {
	[AT_ROLE] = {CHILD_WORKER, CHILD_RESOLVER},
	[AT_CHANNEL] = {0, INT_MAX},
	[AT_STATS] = {-1, INT_MAX},
	[AT_SESSIONS] = {-1, INT_MAX},
	[AT_MAX_CONNECTIONS] = {0, INT64_MAX},
	[AT_LOG_FORMAT] = {LOG_FORMAT_AUTO, LOG_FORMAT_JOURNAL},
	[AT_LOG_LEVEL] = {LOG_LEVEL_ERROR, LOG_LEVEL_DEBUG},
	[AT_SANDBOX] = {0, 1},
};

static const char *const role_names[] = {"worker", "resolver"};

const char *
child_role_name(enum child_role role)
{
	return role_names[role];
}

char **
child_args_format(const struct child_args *args)
{
	char **argv = xcalloc(AT_END + 1, sizeof *argv);

	argv[0] = xasprintf("sallyport: %s", child_role_name(args->role));
	argv[1] = xstrdup(CHILD_ARGS_MARK);
	argv[AT_ROLE] = xasprintf("%d", (int)args->role);
	argv[AT_CHANNEL] = xasprintf("%d", args->channel_fd);
	argv[AT_STATS] = xasprintf("%d", args->stats_fd);
	argv[AT_SESSIONS] = xasprintf("%d", args->sessions_fd);
	argv[AT_MAX_CONNECTIONS] =
		xasprintf("%llu", (unsigned long long)args->max_connections);
	argv[AT_LOG_FORMAT] = xasprintf("%d", args->log_format);
	argv[AT_LOG_LEVEL] = xasprintf("%d", args->log_level);
	argv[AT_SANDBOX] = xasprintf("%d", args->sandbox);
	argv[AT_USER] = xstrdup(args->user == NULL ? "" : args->user);
	argv[AT_GROUP] = xstrdup(args->group == NULL ? "" : args->group);
	return argv;
}

void
child_args_free(char ***argv)
{
	char **arg;

	if (*argv == NULL)
		return;
	for (arg = *argv; *arg != NULL; arg++)
		free(*arg);
	free(*argv);
	*argv = NULL;
}

static char *
text_or_null(char *text)
{
	return *text == '\0' ? NULL : text;
}

int
child_args_parse(
	int argc, char **argv, struct child_args *out, struct error *err)
{
	int64_t number[AT_END] = {0};
	int i;

	if (argc != AT_END)
		return error_set(err, "a child wants %d arguments", AT_END);
	for (i = AT_ROLE; i <= AT_SANDBOX; i++)
		if (units_parse_int(argv[i], ranges[i].min, ranges[i].max,
			    &number[i], err) < 0)
			return error_prefix(err, "child argument %d", i);
	*out = (struct child_args){
		.role = (enum child_role)number[AT_ROLE],
		.channel_fd = (int)number[AT_CHANNEL],
		.stats_fd = (int)number[AT_STATS],
		.sessions_fd = (int)number[AT_SESSIONS],
		.max_connections = (uint64_t)number[AT_MAX_CONNECTIONS],
		.log_format = (int)number[AT_LOG_FORMAT],
		.log_level = (int)number[AT_LOG_LEVEL],
		.sandbox = number[AT_SANDBOX] != 0,
		.user = text_or_null(argv[AT_USER]),
		.group = text_or_null(argv[AT_GROUP]),
	};
	return 0;
}
