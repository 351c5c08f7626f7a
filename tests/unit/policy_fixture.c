#include "policy_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "authz/identity.h"
#include "authz/policy.h"
#include "authz/policy_text.h"
#include "base/mem.h"

#define POLICIES_MAX 8

/* Takes the next "KEY VALUE" off *REST; NULL at the end. */
static char *
next_item(char **rest)
{
	return strsep(rest, "|");
}

/* The value, if ITEM is of KEY. */
static const char *
value_of(const char *item, const char *key)
{
	const size_t len = strlen(key);

	if (strncmp(item, key, len) != 0)
		return NULL;
	return item[len] == ' ' ? item + len + 1 : NULL;
}

static void
add_to_list(struct text_list *list, const char *item, const char *key)
{
	const char *value = value_of(item, key);

	if (value != NULL)
		text_list_add(list, value);
}

static void
set_text(char **text, const char *item, const char *key)
{
	const char *value = value_of(item, key);

	if (value == NULL)
		return;
	free(*text);
	*text = xstrdup(value);
}

struct identity *
fixture_identity(const char *text)
{
	struct identity *it = xcalloc(1, sizeof *it);
	char *copy = xstrdup(text);
	char *rest = copy;
	const char *item;

	while ((item = next_item(&rest)) != NULL) {
		add_to_list(&it->cn, item, "cn");
		add_to_list(&it->ou, item, "ou");
		add_to_list(&it->o, item, "o");
		add_to_list(&it->dns, item, "dns");
		add_to_list(&it->uri, item, "uri");
		add_to_list(&it->ip, item, "ip");
		add_to_list(&it->email, item, "email");
		set_text(&it->serial, item, "serial");
		set_text(&it->sha256, item, "sha256");
		set_text(&it->twin_sha256, item, "twin");
		set_text(&it->spki_sha256, item, "spki");
		set_text(&it->issuer_cn, item, "issuer_cn");
		set_text(&it->issuer_spki_sha256, item, "issuer_spki");
		it->n_bad_names += strcmp(item, "bad") == 0;
	}
	free(copy);
	return it;
}

struct fixture {
	struct rule_settings rules;
	struct policy_settings policies[POLICIES_MAX];
	size_t n_policies;
};

static void
add_policy(struct fixture *fixture, const char *item)
{
	struct policy_settings *policy =
		&fixture->policies[fixture->n_policies++];

	policy->name = xstrndup(item + 1, strcspn(item + 1, "]"));
}

static void
add_rule(struct fixture *fixture, const char *item)
{
	struct text_list *allow = fixture->rules.allow;

	if (item[0] == '[' && fixture->n_policies < POLICIES_MAX) {
		add_policy(fixture, item);
		return;
	}
	if (fixture->n_policies > 0)
		allow = fixture->policies[fixture->n_policies - 1].allow;
	for (enum rule_kind kind = 0; kind < RULE_N_KINDS; kind++)
		add_to_list(&allow[kind], item, policy_text_key(kind));
	add_to_list(&fixture->rules.authorize, item, "authorize");
	add_to_list(&fixture->rules.deny_serial, item, "deny_serial");
	add_to_list(&fixture->rules.deny_cert_sha256, item, "deny_cert_sha256");
}

static void
fixture_done(struct fixture *fixture)
{
	for (enum rule_kind kind = 0; kind < RULE_N_KINDS; kind++) {
		text_list_done(&fixture->rules.allow[kind]);
		for (size_t i = 0; i < fixture->n_policies; i++)
			text_list_done(&fixture->policies[i].allow[kind]);
	}
	for (size_t i = 0; i < fixture->n_policies; i++)
		free(fixture->policies[i].name);
	text_list_done(&fixture->rules.authorize);
	text_list_done(&fixture->rules.deny_serial);
	text_list_done(&fixture->rules.deny_cert_sha256);
}

struct policy_rules *
fixture_rules(const char *text, struct error *err)
{
	struct fixture fixture = {.n_policies = 0};
	struct policy_rules *rules;
	char *copy = xstrdup(text);
	char *rest = copy;
	const char *item;

	while ((item = next_item(&rest)) != NULL)
		add_rule(&fixture, item);
	rules = policy_rules_new(
		&fixture.rules, fixture.policies, fixture.n_policies, err);
	fixture_done(&fixture);
	free(copy);
	return rules;
}
