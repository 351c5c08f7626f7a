#include "config.h"

#include "conf/settings.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "conf/options.h"
#include "conf/section.h"

/* Where each value of a listener was written. */

static const struct option *
find_option(const char *key)
{
	const struct option *option = option_find(listener_options, key);

	assert(option != NULL);
	return option;
}

enum settings_origin
settings_origin(const struct listener_settings *listener, const char *key)
{
	const struct section *from =
		section_source(listener->section, find_option(key));

	if (from == NULL)
		return ORIGIN_DEFAULT;
	if (from == listener->section)
		return ORIGIN_SECTION;
	return from->in == IN_LISTENER ? ORIGIN_LISTENER
				       : ORIGIN_DEFAULTS_SECTION;
}

struct conf_pos
settings_pos(
	const struct listener_settings *listener, const char *key, size_t index)
{
	const struct option *option = find_option(key);
	const struct section *from = section_source(listener->section, option);
	struct conf_pos pos = listener->section->pos;
	const struct section_value *value =
		from == NULL ? NULL : section_value(from, option, index);

	if (value != NULL)
		pos.line = value->line;
	return pos;
}

struct conf_pos
settings_policy_pos(const struct policy_settings *policy, const char *key)
{
	const struct section_value *value =
		section_value(policy->section, find_option(key), 0);
	struct conf_pos pos = policy->section->pos;

	if (value != NULL)
		pos.line = value->line;
	return pos;
}

struct conf_pos
settings_process_pos(const struct settings *settings, const char *key)
{
	const struct option *option = option_find(process_options, key);
	const struct section *section =
		section_find(settings->sections, IN_PROCESS);
	struct conf_pos pos = {.file = settings->path};
	const struct section_value *value;

	assert(option != NULL);
	value = section == NULL ? NULL : section_value(section, option, 0);
	if (value != NULL)
		pos.line = value->line;
	return pos;
}

void
settings_report(const struct listener_settings *listener, const char *key,
	size_t index, enum report_severity severity, struct report *report,
	const char *fmt, ...)
{
	const struct conf_pos pos = settings_pos(listener, key, index);
	char *text = NULL;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vasprintf(&text, fmt, ap);
	va_end(ap);
	report_add(report, severity, &pos, listener->section->title, "%s",
		len < 0 ? fmt : text);
	free(len < 0 ? NULL : text);
}
