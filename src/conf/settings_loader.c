/* The settings of a file, loaded piece by piece. */
#include "config.h"

#include "conf/settings_loader.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"
#include "conf/file_source.h"
#include "conf/option_value.h"
#include "conf/options.h"
#include "conf/section.h"
#include "conf/section_reader.h"
#include "conf/settings.h"
#include "conf/settings_resolve.h"

#define WORKERS_MAX 1024

/* Each but the first goes once through all sections. */
enum pass {
	PASS_READING,
	PASS_ERRORS, /* of what nobody gets; [defaults], whose values the
			others then skip where they are broken */
	PASS_POLICIES,
	PASS_LISTENERS,
	PASS_SERVER_NAMES,
	PASS_END
};

struct settings_loader {
	struct settings *settings;
	struct file_source *source;
	struct report *report;
	struct section_reader *reader; /* NULL: not begun, or at the end */
	enum pass pass;
	size_t next; /* section of this pass */
};

/*
 * Parses what SECTION says about OPTION. REPORT NULL: it was all reported
 * before, when [defaults] itself was looked at.
 */
static void
apply_values(const struct section *section, const struct option *option,
	void *target, struct report *report)
{
	bool is_set = false;

	option_start(option, target);
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

/* SECTION may be NULL: nothing was written. */
static void
apply_section(const struct section *section, const struct option *table,
	void *target, struct report *report)
{
	for (const struct option *o = table; o->name != NULL; o++) {
		const struct section *from =
			section == NULL ? NULL : section_source(section, o);

		if (from == NULL)
			option_set_default(o, target);
		else
			apply_values(from, o, target,
				from == section ? report : NULL);
	}
}

/* What stands in SECTION itself; all else in TARGET stays as it is. */
static void
apply_own(const struct section *section, const struct option *table,
	void *target, struct report *report)
{
	for (const struct option *o = table; o->name != NULL; o++) {
		if (section_has(section, o))
			apply_values(section, o, target, report);
	}
}

/* For the errors only: what a section says that nobody gets. */
static void
look_through(const struct section *section, struct report *report)
{
	struct process_settings process = {0};
	struct listener_settings listener = {0};
	void *target = section->in == IN_PROCESS ? (void *)&process
						 : (void *)&listener;

	apply_own(section, section->table, target, report);
	option_clear_all(section->table, target);
}

static void
report_missing(const struct section *section, struct report *report)
{
	for (const struct option *o = section->table; o->name != NULL; o++) {
		if ((o->required & section->in) != 0 &&
			section_source(section, o) == NULL)
			report_add(report, REPORT_ERROR, &section->pos,
				section->title, "missing required key \"%s\"",
				o->name);
	}
}

/* Its rows are those of a listener; in [policy] they mean something else. */
static void
load_policy(struct settings *settings, struct section *section,
	struct report *report)
{
	struct listener_settings shell = {0};
	struct policy_settings *policy;

	settings->policies = xreallocarray(settings->policies,
		settings->n_policies + 1, sizeof *settings->policies);
	policy = &settings->policies[settings->n_policies++];
	*policy = (struct policy_settings){
		.name = xstrdup(section->name), .section = section};
	apply_section(section, listener_options, &shell, report);
	for (size_t i = 0; i < RULE_N_KINDS; i++) {
		policy->allow[i] = shell.rules.allow[i];
		shell.rules.allow[i] = (struct text_list){0};
	}
	option_clear_all(listener_options, &shell);
}

static void
load_listener(struct settings *settings, struct section *section,
	struct file_source *source, struct report *report)
{
	struct listener_settings *listener;

	settings->listeners = xreallocarray(settings->listeners,
		settings->n_listeners + 1, sizeof *settings->listeners);
	listener = &settings->listeners[settings->n_listeners++];
	*listener = (struct listener_settings){.name = xstrdup(section->name),
		.section = section,
		.policies = settings->policies,
		.n_policies = settings->n_policies};
	apply_section(section, listener_options, listener, report);
	report_missing(section, report);
	settings_resolve(listener, source);
}

static struct listener_settings *
find_listener(const struct settings *settings, const char *name)
{
	for (size_t i = 0; i < settings->n_listeners; i++) {
		if (strcmp(settings->listeners[i].name, name) == 0)
			return &settings->listeners[i];
	}
	return NULL;
}

static void
report_no_listener(const struct settings *settings,
	const struct listener_settings *server_name, struct report *report)
{
	const char **names =
		xcalloc(settings->n_listeners + 1, sizeof(const char *));
	const char *nearest;

	for (size_t i = 0; i < settings->n_listeners; i++)
		names[i] = settings->listeners[i].name;
	nearest = text_nearest(server_name->listener, names);
	settings_report(server_name, "listener", 0, REPORT_ERROR, report,
		"there is no [listener %s]%s%s%s", server_name->listener,
		nearest == NULL ? "" : "; did you mean \"",
		nearest == NULL ? "" : nearest, nearest == NULL ? "" : "\"?");
	free(names);
}

/* What it inherits is known only when it is known whose it is. */
static void
load_server_name(struct settings *settings, struct section *section,
	struct file_source *source, struct report *report)
{
	struct listener_settings overlay = {.section = section,
		.policies = settings->policies,
		.n_policies = settings->n_policies};
	struct listener_settings *owner = NULL;

	apply_own(section, listener_options, &overlay, report);
	report_missing(section, report);
	if (overlay.listener != NULL) {
		owner = find_listener(settings, overlay.listener);
		if (owner == NULL)
			report_no_listener(settings, &overlay, report);
	}
	if (owner == NULL) {
		option_clear_all(listener_options, &overlay);
		return;
	}
	section->inherits = owner->section;
	apply_section(section, listener_options, &overlay, NULL);
	settings_resolve(&overlay, source);
	overlay.name = xstrdup(section->name);
	owner->overlays = xreallocarray(owner->overlays, owner->n_overlays + 1,
		sizeof *owner->overlays);
	owner->overlays[owner->n_overlays++] = overlay;
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

/* False: it cannot be read. */
static bool
begin_reading(struct settings_loader *loader)
{
	struct settings *settings = loader->settings;
	const struct conf_pos pos = {.file = settings->path};
	const char *text = NULL;
	size_t len = 0;
	struct error err;

	if (file_source_read(loader->source, settings->path, FILE_PUBLIC, &text,
		    &len, &err) == 0) {
		loader->reader = section_reader_new(settings->sections,
			settings->path, text, len, loader->report);
		return true;
	}
	report_add(loader->report, REPORT_ERROR, &pos, NULL,
		"cannot read the configuration: %s", err.text);
	load_process(settings, loader->report);
	return false;
}

/* False: there is nothing to load. */
static bool
read_some(struct settings_loader *loader)
{
	if (loader->reader == NULL)
		return begin_reading(loader);
	if (section_reader_step(loader->reader))
		return true;
	section_reader_free(&loader->reader);
	loader->settings->is_read = true;
	loader->pass++;
	return true;
}

static void
load_section(struct settings_loader *loader, struct section *section)
{
	struct settings *settings = loader->settings;
	struct report *report = loader->report;

	switch (loader->pass) {
	case PASS_ERRORS:
		if (!section->usable || section->in == IN_DEFAULTS)
			look_through(section, report);
		return;
	case PASS_POLICIES:
		if (section->usable && section->in == IN_POLICY)
			load_policy(settings, section, report);
		return;
	case PASS_LISTENERS:
		if (section->usable && section->in == IN_LISTENER)
			load_listener(
				settings, section, loader->source, report);
		return;
	case PASS_SERVER_NAMES:
		if (section->usable && section->in == IN_SERVER_NAME)
			load_server_name(
				settings, section, loader->source, report);
		return;
	case PASS_READING:
	case PASS_END:
		return;
	}
}

struct settings_loader *
settings_loader_new(
	const char *path, struct file_source *source, struct report *report)
{
	struct settings_loader *loader = xcalloc(1, sizeof *loader);
	struct settings *settings = xcalloc(1, sizeof *settings);

	settings->path = xstrdup(path);
	settings->sections = xcalloc(1, sizeof *settings->sections);
	*loader = (struct settings_loader){
		.settings = settings, .source = source, .report = report};
	return loader;
}

bool
settings_loader_step(struct settings_loader *loader)
{
	struct section_list *sections = loader->settings->sections;

	if (loader->pass == PASS_READING)
		return read_some(loader);
	if (loader->next < sections->n) {
		load_section(loader, sections->items[loader->next++]);
		return true;
	}
	if (loader->pass == PASS_ERRORS)
		load_process(loader->settings, loader->report);
	loader->next = 0;
	loader->pass++;
	return loader->pass < PASS_END;
}

struct settings *
settings_loader_end(struct settings_loader **loader)
{
	struct settings *settings = (*loader)->settings;

	section_reader_free(&(*loader)->reader);
	free(*loader);
	*loader = NULL;
	return settings;
}
