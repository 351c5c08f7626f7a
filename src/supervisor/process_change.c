/* What a reload cannot change of the processes that run. */
#include "supervisor/process_change.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "conf/report.h"
#include "conf/settings.h"

static bool
differ(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return a != b;
	return strcmp(a, b) != 0;
}

static void
warn(const struct settings *next, const char *key, const char *when,
	struct report *report)
{
	const struct conf_pos pos = settings_process_pos(next, key);

	report_add(report, REPORT_WARNING, &pos, "sallyport",
		"a change of %s takes effect %s", key, when);
}

void
process_change_check(const struct settings *running,
	const struct settings *next, struct report *report)
{
	const struct process_settings *old = &running->process;
	const struct process_settings *now = &next->process;
	const char *const new_ones =
		"in processes that are started from now on, and in all at the "
		"next start";

	if (differ(old->user, now->user))
		warn(next, "user", new_ones, report);
	if (differ(old->group, now->group))
		warn(next, "group", new_ones, report);
	if (old->sandbox != now->sandbox)
		warn(next, "sandbox", new_ones, report);
	if (differ(old->admin_socket, now->admin_socket))
		warn(next, "admin_socket", "at the next start", report);
}
