#include "config.h"

#include "conf/options.h"

#include <assert.h>
#include <string.h>

#include "conf/settings.h"

#define SECONDS(n)     ((int64_t)(n)*1000)
#define MINUTES(n)     SECONDS((n)*60)
#define HOURS(n)       MINUTES((n)*60)
#define DAYS(n)        HOURS((n)*24)
#define PROCESS(field) offsetof(struct process_settings, field)

/* The order of each is that of its enum. */
static const char *const log_levels[] = {
	"error", "warn", "notice", "info", "debug", NULL};
static const char *const log_formats[] = {
	"auto", "text", "json", "journal", NULL};
static const char *const sandbox_settings[] = {"auto", "off", NULL};
static const char *const fdstore_settings[] = {"auto", "off", NULL};

const struct option process_options[] = {
	{.name = "workers",
		.type = OPT_INT,
		.sections = IN_PROCESS,
		.offset = PROCESS(workers),
		.def = "auto",
		.min = 1,
		.max = 1024,
		.zero_word = "auto",
		.help = "Number of worker processes; auto is one for each "
			"processor that sallyport may run on."},
	{.name = "user",
		.type = OPT_TEXT,
		.sections = IN_PROCESS,
		.offset = PROCESS(user),
		.help = "User that the workers run as when sallyport is "
			"started by root; nobody if not set."},
	{.name = "group",
		.type = OPT_TEXT,
		.sections = IN_PROCESS,
		.offset = PROCESS(group),
		.help = "Group beside user; the user's own if not set."},
	{.name = "max_connections",
		.type = OPT_INT,
		.sections = IN_PROCESS,
		.offset = PROCESS(max_connections),
		.def = "0",
		.min = 1,
		.max = 10000000,
		.zero_ok = true,
		.help = "Connections at a time over all workers; 0 is as many "
			"as the limit of open files allows."},
	{.name = "drain_timeout",
		.type = OPT_DURATION_MS,
		.sections = IN_PROCESS,
		.offset = PROCESS(drain_timeout_ms),
		.def = "30s",
		.min = 1,
		.max = DAYS(7),
		.zero_ok = true,
		.help = "Time that connections get to end by themselves when "
			"sallyport is told to stop."},
	{.name = "log_level",
		.type = OPT_CHOICE,
		.sections = IN_PROCESS,
		.offset = PROCESS(log_level),
		.def = "info",
		.choices = log_levels,
		.help = "The least important lines that are logged."},
	{.name = "log_format",
		.type = OPT_CHOICE,
		.sections = IN_PROCESS,
		.offset = PROCESS(log_format),
		.def = "auto",
		.choices = log_formats,
		.help = "Form of the log; auto is the journal where stderr "
			"leads to it, else text."},
	{.name = "access_log",
		.type = OPT_BOOL,
		.sections = IN_PROCESS,
		.offset = PROCESS(access_log),
		.def = "yes",
		.help = "Whether each finished connection is logged."},
	{.name = "log_probes",
		.type = OPT_BOOL,
		.sections = IN_PROCESS,
		.offset = PROCESS(log_probes),
		.def = "no",
		.help = "Whether connections that never sent a byte are "
			"logged too; they are counted anyway."},
	{.name = "watch_files",
		.type = OPT_BOOL,
		.sections = IN_PROCESS,
		.offset = PROCESS(watch_files),
		.def = "yes",
		.help = "Whether the settings and all files they name are "
			"loaded anew by themselves when they change."},
	{.name = "sandbox",
		.type = OPT_CHOICE,
		.sections = IN_PROCESS,
		.offset = PROCESS(sandbox),
		.def = "auto",
		.choices = sandbox_settings,
		.help = "Whether the kernel confines the workers as far as it "
			"can."},
	{.name = "admin_socket",
		.type = OPT_PATH,
		.sections = IN_PROCESS,
		.offset = PROCESS(admin_socket),
		.help = "Unix socket for sallyport reload and status; none is "
			"none, and if not set it is admin.sock in the runtime "
			"directory."},
	{.name = "fdstore",
		.type = OPT_CHOICE,
		.sections = IN_PROCESS,
		.offset = PROCESS(fdstore),
		.def = "auto",
		.choices = fdstore_settings,
		.help = "Whether the service manager keeps the listening "
			"sockets over a restart."},
	{.name = NULL},
};

const struct option *
option_find(const struct option *table, const char *name)
{
	for (; table->name != NULL; table++) {
		/* Every key of a file comes through here. */
		if (table->name[0] == name[0] && strcmp(table->name, name) == 0)
			return table;
	}
	return NULL;
}

bool
option_is_list(const struct option *option)
{
	return option->type == OPT_PATH_LIST ||
	       option->type == OPT_SECRET_LIST ||
	       option->type == OPT_RULE_TEXT || option->type == OPT_PEM ||
	       option_is_words(option);
}

bool
option_is_words(const struct option *option)
{
	switch (option->type) {
	case OPT_COLON_LIST:
	case OPT_WORD_LIST:
	case OPT_NAME_LIST:
	case OPT_RULE_LIST:
	case OPT_SERIAL_LIST:
	case OPT_CIDR_LIST:
	case OPT_FLAGS:
	case OPT_SET:
	case OPT_LISTEN_LIST:
		return true;
	case OPT_BOOL:
	case OPT_INT:
	case OPT_DURATION_MS:
	case OPT_TEXT:
	case OPT_SECRET:
	case OPT_PATH:
	case OPT_PATH_LIST:
	case OPT_SECRET_LIST:
	case OPT_RULE_TEXT:
	case OPT_PEM:
	case OPT_CHOICE:
	case OPT_BACKEND:
		return false;
	}
	assert(false); /* a row with a type that there is not */
	return false;
}

bool
option_is_inherited(const struct option *option)
{
	return (option->sections & IN_DEFAULTS) != 0;
}
