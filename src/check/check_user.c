/* Whether the workers can become who they are to be. */
#include "check/check_user.h"

#include <stddef.h>

#include "base/error.h"
#include "base/sandbox.h"
#include "conf/report.h"
#include "conf/settings.h"

void
check_user(const struct settings *settings, struct report *report)
{
	const struct process_settings *process = &settings->process;
	const char *key = "user";
	struct conf_pos pos;
	struct error err;

	if (sandbox_find_user(process->user, NULL, &err) == 0) {
		key = "group";
		if (sandbox_find_user(process->user, process->group, &err) == 0)
			return;
	}
	pos = settings_process_pos(settings, key);
	report_add(report, REPORT_ERROR, &pos, "sallyport", "%s: %s", key,
		err.text);
}
