#include "config.h"

#include "conf/settings.h"

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
#include "conf/settings_check.h"
#include "conf/settings_resolve.h"

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

	apply_own(section, section->table, target, report);
	clear_options(section->table, target);
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
	clear_options(listener_options, &shell);
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
		clear_options(listener_options, &overlay);
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

static void
load_sections(struct settings *settings, struct file_source *source,
	struct report *report)
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
		if (list->items[i]->usable && list->items[i]->in == IN_POLICY)
			load_policy(settings, list->items[i], report);
	}
	for (size_t i = 0; i < list->n; i++) {
		if (list->items[i]->usable && list->items[i]->in == IN_LISTENER)
			load_listener(settings, list->items[i], source, report);
	}
	for (size_t i = 0; i < list->n; i++) {
		if (list->items[i]->usable &&
			list->items[i]->in == IN_SERVER_NAME)
			load_server_name(
				settings, list->items[i], source, report);
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
	load_sections(settings, source, report);
	settings_check(settings, report);
	return settings;
}

static void
listener_done(struct listener_settings *listener)
{
	for (size_t i = 0; i < listener->n_overlays; i++)
		listener_done(&listener->overlays[i]);
	free(listener->overlays);
	clear_options(listener_options, listener);
	free(listener->name);
}

static void
policy_done(struct policy_settings *policy)
{
	for (size_t i = 0; i < RULE_N_KINDS; i++)
		text_list_done(&policy->allow[i]);
	free(policy->name);
}

void
settings_free(struct settings **settings)
{
	struct settings *set = *settings;

	if (set == NULL)
		return;
	for (size_t i = 0; i < set->n_listeners; i++)
		listener_done(&set->listeners[i]);
	free(set->listeners);
	for (size_t i = 0; i < set->n_policies; i++)
		policy_done(&set->policies[i]);
	free(set->policies);
	clear_options(process_options, &set->process);
	if (set->sections != NULL)
		section_list_done(set->sections);
	free(set->sections);
	free(set->path);
	free(set);
	*settings = NULL;
}
