#include "config.h"

#include "conf/settings_check_rules.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "conf/option_value.h"
#include "conf/options.h"
#include "conf/section.h"
#include "conf/settings.h"

#define ANY "any"

static const struct text_list *
values_of(const struct option *option, const struct listener_settings *listener)
{
	const void *field = (const char *)listener + option->offset;

	return field;
}

static void
check_ignored(const struct listener_settings *listener,
	const struct option *rule, struct report *report)
{
	if (listener->tls.verify_mode == VERIFY_NONE)
		settings_report(listener, "verify_mode", 0, REPORT_ERROR,
			report,
			"verify_mode \"none\" would ignore %s; remove one of "
			"them",
			rule->name);
}

/* An explicit verify_mode without a CA is looked at elsewhere. */
static void
check_ca(const struct listener_settings *listener, const struct option *rule,
	struct report *report)
{
	if (!settings_has_ca(&listener->tls) &&
		settings_origin(listener, "verify_mode") == ORIGIN_DEFAULT)
		settings_report(listener, rule->name, 0, REPORT_ERROR, report,
			"%s needs a cafile: only what a CA has signed says who "
			"a client is",
			rule->name);
}

static void
check_optional(const struct listener_settings *listener,
	const struct option *rule, struct report *report)
{
	if (listener->tls.verify_mode == VERIFY_OPTIONAL &&
		rule->effect == EFFECT_ADMITS)
		settings_report(listener, "verify_mode", 0, REPORT_WARNING,
			report,
			"verify_mode \"optional\" lets in nobody without a "
			"certificate: %s never matches them",
			rule->name);
}

static void
check_any(const struct listener_settings *listener, const struct option *rule,
	struct report *report)
{
	const struct text_list *authorize = &listener->rules.authorize;

	if (!text_list_has(authorize, ANY) || rule->effect != EFFECT_ADMITS ||
		(values_of(rule, listener) == authorize && authorize->n == 1))
		return;
	settings_report(listener, rule->name, 0, REPORT_WARNING, report,
		values_of(rule, listener) == authorize
			? "%s \"any\" lets in every client of the CAs; the "
			  "policies beside it change nothing"
			: "%s changes nothing: authorize \"any\" lets in every "
			  "client of the CAs",
		rule->name);
}

/* What DENIED, a value of RULE elsewhere, is in the form of the settings. */
static bool
denies(const struct listener_settings *listener, const struct option *rule,
	const char *denied)
{
	struct listener_settings shell = {0};
	bool found;

	found = option_set(rule, &shell, denied, NULL) == 0 &&
		text_list_has(values_of(rule, listener),
			values_of(rule, &shell)->items[0]);
	option_clear(rule, &shell);
	return found;
}

/* Lists do not merge: easily overlooked in an emergency. */
static void
check_deny(const struct listener_settings *listener, const struct option *rule,
	struct report *report)
{
	const struct section *section = listener->section;
	const struct section *from = NULL;
	const struct section_value *value;

	if (rule->effect != EFFECT_DENIES || section->inherits == NULL ||
		settings_origin(listener, rule->name) != ORIGIN_SECTION)
		return;
	from = section_source(section->inherits, rule);
	for (size_t i = 0; from != NULL; i++) {
		value = section_value(from, rule, i);
		if (value == NULL)
			return;
		if (!denies(listener, rule, value->text))
			settings_report(listener, rule->name, 0, REPORT_WARNING,
				report,
				"%s replaces what [%s] has: \"%s\" in line %u "
				"is not denied here",
				rule->name, from->title, value->text,
				value->line);
	}
}

/*
 * Subject and serial of a proxy certificate are of its holder's choice, within
 * limits: one more common name, any number.
 */
static void
check_rule_of_proxies(const struct listener_settings *listener,
	const struct option *rule, struct report *report)
{
	const struct text_list *authorize = &listener->rules.authorize;

	if ((listener->tls.verify_flags & TLS_VERIFY_ALLOW_PROXY_CERTS) == 0 ||
		(values_of(rule, listener) == authorize && authorize->n == 1 &&
			text_list_has(authorize, ANY)))
		return;
	settings_report(listener, "verify_flags", 0, REPORT_ERROR, report,
		"verify_flags \"allow_proxy_certs\" lets clients make "
		"certificates that %s is no match for; remove one of them",
		rule->name);
}

static const struct policy_settings *
find_policy(const struct listener_settings *listener, const char *name)
{
	for (size_t i = 0; i < listener->n_policies; i++) {
		if (strcmp(listener->policies[i].name, name) == 0)
			return &listener->policies[i];
	}
	return NULL;
}

static void
report_no_policy(const struct listener_settings *listener, size_t index,
	struct report *report)
{
	const char *name = listener->rules.authorize.items[index];
	const char **names =
		xcalloc(listener->n_policies + 2, sizeof(const char *));
	const char *nearest;

	for (size_t i = 0; i < listener->n_policies; i++)
		names[i] = listener->policies[i].name;
	names[listener->n_policies] = ANY;
	nearest = text_nearest(name, names);
	settings_report(listener, "authorize", index, REPORT_ERROR, report,
		"there is no [policy %s]%s%s%s", name,
		nearest == NULL ? "" : "; did you mean \"",
		nearest == NULL ? "" : nearest, nearest == NULL ? "" : "\"?");
	free(names);
}

void
settings_check_rules(
	const struct listener_settings *listener, struct report *report)
{
	const struct text_list *authorize = &listener->rules.authorize;

	for (const struct option *o = listener_options; o->name != NULL; o++) {
		if (o->effect == EFFECT_NONE || values_of(o, listener)->n == 0)
			continue;
		check_ignored(listener, o, report);
		check_ca(listener, o, report);
		check_optional(listener, o, report);
		check_any(listener, o, report);
		check_deny(listener, o, report);
		check_rule_of_proxies(listener, o, report);
	}
	for (size_t i = 0; i < authorize->n; i++) {
		if (strcmp(authorize->items[i], ANY) != 0 &&
			find_policy(listener, authorize->items[i]) == NULL)
			report_no_policy(listener, i, report);
	}
}

static bool
is_used(const struct settings *settings, const char *policy)
{
	for (size_t i = 0; i < settings->n_listeners; i++) {
		const struct listener_settings *listener =
			&settings->listeners[i];

		if (text_list_has(&listener->rules.authorize, policy))
			return true;
		for (size_t k = 0; k < listener->n_overlays; k++) {
			if (text_list_has(
				    &listener->overlays[k].rules.authorize,
				    policy))
				return true;
		}
	}
	return false;
}

static void
check_policy(const struct settings *settings,
	const struct policy_settings *policy, struct report *report)
{
	const struct section *section = policy->section;

	if (strcmp(policy->name, ANY) == 0)
		report_add(report, REPORT_ERROR, &section->pos, section->title,
			"\"any\" is no name for a policy: authorize = any is "
			"every client of the CAs");
	else if (section->n_values == 0)
		report_add(report, REPORT_ERROR, &section->pos, section->title,
			"policy without keys: it would match every client");
	else if (!is_used(settings, policy->name))
		report_add(report, REPORT_WARNING, &section->pos,
			section->title,
			"unreachable: no authorize names this policy");
}

void
settings_check_policies(const struct settings *settings, struct report *report)
{
	for (size_t i = 0; i < settings->n_policies; i++)
		check_policy(settings, &settings->policies[i], report);
}
