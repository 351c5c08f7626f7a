#include "config.h"

#include "conf/settings.h"

#include <assert.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/mem.h"
#include "conf/file_source.h"
#include "conf/option_value.h"
#include "conf/options.h"
#include "conf/section.h"
#include "conf/settings_check.h"

#define WORKERS_MAX 1024

/*
 * Parses what SECTION says about OPTION. REPORT NULL: it was all reported
 * before, when [defaults] itself was looked at.
 */
static void
apply_values(const struct section *section, const struct option *option,
	void *target, struct report *report)
{
	bool is_set = false;

	option_clear(option, target);
	for (size_t i = 0; i < section->n_values; i++) {
		struct section_value *value = &section->values[i];
		struct conf_pos pos = section->pos;
		struct error err;

		if (value->option != option)
			continue;
		if (option_set(option, target, value->text, &err) == 0) {
			is_set = true;
			continue;
		}
		value->broken = true;
		pos.line = value->line;
		if (report != NULL)
			report_add(report, REPORT_ERROR, &pos, section->title,
				"%s %s", option->name, err.text);
	}
	if (!is_set)
		option_set_default(option, target);
}

static bool
has(const struct section *section, const struct option *option)
{
	return section != NULL && section_has(section, option);
}

/* SECTION may be NULL: nothing was written. */
static void
apply_section(const struct section *section, const struct option *table,
	void *target, struct report *report)
{
	const struct section *inherits =
		section == NULL ? NULL : section->inherits;

	for (const struct option *o = table; o->name != NULL; o++) {
		if (has(section, o))
			apply_values(section, o, target, report);
		else if (has(inherits, o))
			apply_values(inherits, o, target, NULL);
		else
			option_set_default(o, target);
	}
}

static void
clear_options(const struct option *table, void *target)
{
	for (const struct option *o = table; o->name != NULL; o++)
		option_clear(o, target);
}

/* For the errors only: what a section says that nobody gets. */
static void
look_through(const struct section *section, struct report *report)
{
	struct process_settings process = {0};
	struct listener_settings listener = {0};
	void *target = section->in == IN_PROCESS ? (void *)&process
						 : (void *)&listener;

	apply_section(section, section->table, target, report);
	clear_options(section->table, target);
}

static void
report_missing(const struct section *section, struct report *report)
{
	for (const struct option *o = section->table; o->name != NULL; o++) {
		if (o->required && !has(section, o) &&
			!has(section->inherits, o))
			report_add(report, REPORT_ERROR, &section->pos,
				section->title, "missing required key \"%s\"",
				o->name);
	}
}

static void
resolve_verify_mode(struct tls_settings *tls)
{
	if (tls->verify_mode == VERIFY_AUTO)
		tls->verify_mode =
			tls->cafile.n > 0 ? VERIFY_REQUIRED : VERIFY_NONE;
}

static void
load_listener(struct settings *settings, struct section *section,
	struct report *report)
{
	struct listener_settings *listener;

	settings->listeners = xreallocarray(settings->listeners,
		settings->n_listeners + 1, sizeof *settings->listeners);
	listener = &settings->listeners[settings->n_listeners++];
	*listener = (struct listener_settings){
		.name = xstrdup(section->name), .section = section};
	apply_section(section, listener_options, listener, report);
	report_missing(section, report);
	resolve_verify_mode(&listener->tls);
}

/* How many processors this process may run on. */
static int64_t
count_processors(void)
{
	cpu_set_t set;
	int n = 1;

	/* Fails on machines with more processors than cpu_set_t has bits. */
	CPU_ZERO(&set);
	if (sched_getaffinity(0, sizeof set, &set) == 0)
		n = CPU_COUNT(&set);
	else
		n = WORKERS_MAX;
	return n < 1 ? 1 : n > WORKERS_MAX ? WORKERS_MAX : n;
}

static void
load_process(struct settings *settings, struct report *report)
{
	apply_section(section_find(settings->sections, IN_PROCESS),
		process_options, &settings->process, report);
	if (settings->process.workers == 0)
		settings->process.workers = count_processors();
}

static void
load_sections(struct settings *settings, struct report *report)
{
	const struct section_list *list = settings->sections;

	/* [defaults] first: this marks the values that listeners then skip. */
	for (size_t i = 0; i < list->n; i++) {
		if (!list->items[i]->usable ||
			list->items[i]->in == IN_DEFAULTS)
			look_through(list->items[i], report);
	}
	load_process(settings, report);
	for (size_t i = 0; i < list->n; i++) {
		if (list->items[i]->usable && list->items[i]->in == IN_LISTENER)
			load_listener(settings, list->items[i], report);
	}
}

struct settings *
settings_load(
	const char *path, struct file_source *source, struct report *report)
{
	struct settings *settings = xcalloc(1, sizeof *settings);
	struct conf_pos pos;
	const char *text = NULL;
	size_t len = 0;
	struct error err;

	settings->path = xstrdup(path);
	settings->sections = xcalloc(1, sizeof *settings->sections);
	pos = (struct conf_pos){.file = settings->path};
	if (file_source_read(source, path, FILE_PUBLIC, &text, &len, &err) <
		0) {
		report_add(report, REPORT_ERROR, &pos, NULL,
			"cannot read the configuration: %s", err.text);
		load_process(settings, report);
		return settings;
	}
	section_list_read(
		settings->sections, settings->path, text, len, report);
	load_sections(settings, report);
	settings_check(settings, report);
	return settings;
}

void
settings_free(struct settings **settings)
{
	struct settings *set = *settings;

	if (set == NULL)
		return;
	for (size_t i = 0; i < set->n_listeners; i++) {
		clear_options(listener_options, &set->listeners[i]);
		free(set->listeners[i].name);
	}
	free(set->listeners);
	clear_options(process_options, &set->process);
	if (set->sections != NULL)
		section_list_done(set->sections);
	free(set->sections);
	free(set->path);
	free(set);
	*settings = NULL;
}

static void
ask(struct file_source *source, const char *path, enum file_kind kind)
{
	const char *bytes;
	size_t len;

	(void)file_source_read(source, path, kind, &bytes, &len, NULL);
}

static void
ask_all(struct file_source *source, const struct text_list *paths,
	enum file_kind kind)
{
	for (size_t i = 0; i < paths->n; i++)
		ask(source, paths->items[i], kind);
}

void
settings_read_files(const struct settings *settings, struct file_source *source)
{
	for (size_t i = 0; i < settings->n_listeners; i++) {
		const struct tls_settings *tls = &settings->listeners[i].tls;

		ask_all(source, &tls->certfile, FILE_PUBLIC);
		ask_all(source, &tls->cafile, FILE_PUBLIC);
		ask_all(source,
			tls->keyfile.n > 0 ? &tls->keyfile : &tls->certfile,
			FILE_SECRET);
		if (tls->password_file != NULL)
			ask(source, tls->password_file, FILE_SECRET);
	}
}

struct conf_pos
settings_pos(
	const struct listener_settings *listener, const char *key, size_t index)
{
	const struct option *option = option_find(listener_options, key);
	const struct section *section = listener->section;
	struct conf_pos pos = section->pos;
	const struct section_value *value;

	assert(option != NULL);
	if (!section_has(section, option) && section->inherits != NULL)
		section = section->inherits;
	value = section_value(section, option, index);
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
