/* Rules, compiled. */
#include "config.h"

#include "authz/policy.h"

#include <stdlib.h>
#include <string.h>

#include "authz/policy_list.h"
#include "authz/policy_rules.h"
#include "authz/policy_text.h"
#include "base/error.h"
#include "base/mem.h"
#include "conf/rule_value.h"

#define ANY "any"

bool
policy_keys_has(const struct policy_keys *keys, enum rule_kind kind)
{
	return keys->values[kind].texts.n > 0;
}

bool
policy_keys_exist(const struct policy_keys *keys)
{
	for (enum rule_kind kind = 0; kind < RULE_N_KINDS; kind++) {
		if (policy_keys_has(keys, kind))
			return true;
	}
	return false;
}

bool
policy_keys_lack(const struct policy_keys *keys, enum rule_kind kind,
	const struct identity *identity)
{
	return policy_keys_has(keys, kind) &&
	       policy_values_find(&keys->values[kind], kind, identity) == NULL;
}

static int
init_keys(struct policy_keys *keys, const struct text_list lists[RULE_N_KINDS],
	struct error *err)
{
	for (enum rule_kind kind = 0; kind < RULE_N_KINDS; kind++) {
		if (policy_values_init(
			    &keys->values[kind], kind, &lists[kind], err) < 0)
			return error_prefix(err, "%s", policy_text_key(kind));
	}
	return 0;
}

static void
keys_done(struct policy_keys *keys)
{
	for (enum rule_kind kind = 0; kind < RULE_N_KINDS; kind++)
		policy_values_done(&keys->values[kind]);
}

static int
copy_serials(
	struct text_list *to, const struct text_list *from, struct error *err)
{
	for (size_t i = 0; i < from->n; i++) {
		if (rule_value_check_serial(from->items[i], err) < 0)
			return error_prefix(err, "deny_serial");
		text_list_add(to, from->items[i]);
		rule_value_normalise_serial(to->items[i]);
	}
	policy_list_sort(to);
	return 0;
}

static int
copy_fingerprints(
	struct text_list *to, const struct text_list *from, struct error *err)
{
	struct policy_values values;

	if (policy_values_init(&values, RULE_CERT_SHA256, from, err) < 0)
		return error_prefix(err, "deny_cert_sha256");
	*to = values.texts; /* there is nothing else in it */
	return 0;
}

static const struct policy_settings *
find_policy(const char *name, const struct policy_settings *policies, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(policies[i].name, name) == 0)
			return &policies[i];
	}
	return NULL;
}

static int
add_policy(struct policy_rules *rules, const char *name,
	const struct policy_settings *policies, size_t n, struct error *err)
{
	const struct policy_settings *found = find_policy(name, policies, n);
	struct policy *policy = &rules->policies[rules->n_policies];

	if (strcmp(name, ANY) == 0) {
		rules->is_any_authorized = true;
		return 0;
	}
	if (found == NULL)
		return error_set(
			err, "authorize: there is no [policy %s]", name);
	policy->name = xstrdup(name);
	rules->n_policies++;
	if (init_keys(&policy->keys, found->allow, err) < 0)
		return error_prefix(err, "[policy %s]", name);
	return 0;
}

/* In the order of their names, each once: equal rules are to be equal. */
static int
add_policies(struct policy_rules *rules, const struct text_list *authorize,
	const struct policy_settings *policies, size_t n, struct error *err)
{
	struct text_list names = {0};
	int status = 0;

	for (size_t i = 0; i < authorize->n; i++)
		text_list_add(&names, authorize->items[i]);
	policy_list_sort(&names);
	if (names.n > 0)
		rules->policies = xcalloc(names.n, sizeof rules->policies[0]);
	for (size_t i = 0; status == 0 && i < names.n; i++)
		status = add_policy(rules, names.items[i], policies, n, err);
	text_list_done(&names);
	return status;
}

/* An issuer alone says nothing about who came: it only narrows a policy. */
static int
refuse_issuer_keys(const struct policy_rules *rules, struct error *err)
{
	if (policy_keys_has(&rules->keys, RULE_ISSUER_CN) ||
		policy_keys_has(&rules->keys, RULE_ISSUER_SPKI_SHA256))
		return error_set(err, "allow_issuer_* is for a [policy] only");
	return 0;
}

struct policy_rules *
policy_rules_new(const struct rule_settings *rules,
	const struct policy_settings *policies, size_t n_policies,
	struct error *err)
{
	struct policy_rules *new_rules = xcalloc(1, sizeof *new_rules);

	if (init_keys(&new_rules->keys, rules->allow, err) < 0 ||
		refuse_issuer_keys(new_rules, err) < 0 ||
		copy_serials(&new_rules->deny_serial, &rules->deny_serial,
			err) < 0 ||
		copy_fingerprints(&new_rules->deny_cert_sha256,
			&rules->deny_cert_sha256, err) < 0 ||
		add_policies(new_rules, &rules->authorize, policies, n_policies,
			err) < 0)
		policy_rules_free(&new_rules);
	return new_rules;
}

void
policy_rules_free(struct policy_rules **rules)
{
	struct policy_rules *it = *rules;

	if (it == NULL)
		return;
	for (size_t i = 0; i < it->n_policies; i++) {
		free(it->policies[i].name);
		keys_done(&it->policies[i].keys);
	}
	free(it->policies);
	keys_done(&it->keys);
	text_list_done(&it->deny_serial);
	text_list_done(&it->deny_cert_sha256);
	free(it);
	*rules = NULL;
}

/* Is there anything that a certificate has to satisfy? */
bool
policy_rules_allow(const struct policy_rules *rules)
{
	return policy_keys_exist(&rules->keys) || rules->is_any_authorized ||
	       rules->n_policies > 0;
}

bool
policy_rules_exist(const struct policy_rules *rules)
{
	return policy_rules_allow(rules) || rules->deny_serial.n > 0 ||
	       rules->deny_cert_sha256.n > 0;
}

bool
policy_rules_deny_fingerprints(const struct policy_rules *rules)
{
	return rules->deny_cert_sha256.n > 0;
}

static void
add_keys(struct policy_canon *canon, const struct policy_keys *keys)
{
	for (enum rule_kind kind = 0; kind < RULE_N_KINDS; kind++)
		policy_canon_add_list(canon, policy_text_key(kind),
			&keys->values[kind].texts);
}

char *
policy_rules_text(const struct policy_rules *rules)
{
	struct policy_canon canon = {.text = xstrdup(""), .room = 1};

	add_keys(&canon, &rules->keys);
	policy_canon_add_list(&canon, "deny_serial", &rules->deny_serial);
	policy_canon_add_list(
		&canon, "deny_cert_sha256", &rules->deny_cert_sha256);
	if (rules->is_any_authorized)
		policy_canon_add(&canon, "authorize", ANY);
	for (size_t i = 0; i < rules->n_policies; i++) {
		policy_canon_add(&canon, "policy", rules->policies[i].name);
		add_keys(&canon, &rules->policies[i].keys);
	}
	return canon.text;
}
