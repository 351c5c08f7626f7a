/* Rules -> decision and reason. */
#include "config.h"

#include "authz/policy.h"

#include <string.h>
#include <strings.h>

#include "authz/identity.h"
#include "authz/policy_list.h"
#include "authz/policy_rules.h"
#include "authz/policy_text.h"

static void
decide(struct policy_decision *out, bool allowed, const char *word,
	const char *value)
{
	struct policy_line line;

	out->allowed = allowed;
	policy_line_start(&line, out->reason, sizeof out->reason);
	policy_line_add(&line, word);
	if (value != NULL)
		policy_line_add(&line, " ");
	if (value != NULL)
		policy_line_add(&line, value);
}

/* As numbers: neither leading zeros nor the case of a digit change one. */
static bool
is_same_serial(const char *a, const char *b)
{
	const bool is_a_negative = *a == '-';
	const bool is_b_negative = *b == '-';

	a += is_a_negative;
	b += is_b_negative;
	a += strspn(a, "0");
	b += strspn(b, "0");
	if (is_a_negative != is_b_negative)
		return *a == '\0' && *b == '\0';
	return strcasecmp(a, b) == 0;
}

/* A certificate is denied in both of its forms. */
static const char *
find_fingerprint(
	const struct text_list *denied, const struct identity *identity)
{
	const char *found = NULL;

	if (identity->sha256 != NULL)
		found = policy_list_find(denied, identity->sha256);
	if (found == NULL && identity->twin_sha256 != NULL)
		found = policy_list_find(denied, identity->twin_sha256);
	return found;
}

static bool
is_denied(const struct policy_rules *rules, const struct identity *identity,
	struct policy_decision *out)
{
	const struct text_list *serials = &rules->deny_serial;
	const char *found;

	for (size_t i = 0; identity->serial != NULL && i < serials->n; i++) {
		if (!is_same_serial(serials->items[i], identity->serial))
			continue;
		decide(out, false, "deny_serial", serials->items[i]);
		return true;
	}
	found = find_fingerprint(&rules->deny_cert_sha256, identity);
	if (found != NULL)
		decide(out, false, "deny_cert_sha256", found);
	return found != NULL;
}

static bool
is_allowed_by_key(const struct policy_rules *rules,
	const struct identity *identity, struct policy_decision *out)
{
	for (enum rule_kind kind = 0; kind < RULE_N_KINDS; kind++) {
		const char *found = policy_values_find(
			&rules->keys.values[kind], kind, identity);

		if (found == NULL)
			continue;
		decide(out, true, policy_text_key(kind), found);
		return true;
	}
	return false;
}

static bool
policy_matches(const struct policy *policy, const struct identity *identity)
{
	for (enum rule_kind kind = 0; kind < RULE_N_KINDS; kind++) {
		if (policy_keys_lack(&policy->keys, kind, identity))
			return false;
	}
	return policy_keys_exist(&policy->keys);
}

static bool
is_allowed_by_policy(const struct policy_rules *rules,
	const struct identity *identity, struct policy_decision *out)
{
	for (size_t i = 0; i < rules->n_policies; i++) {
		if (!policy_matches(&rules->policies[i], identity))
			continue;
		decide(out, true, "policy", rules->policies[i].name);
		return true;
	}
	return false;
}

void
policy_decide(const struct policy_rules *rules, const struct identity *identity,
	struct policy_decision *out)
{
	if (!policy_rules_exist(rules)) {
		decide(out, true, "no rule", NULL);
		return;
	}
	if (identity == NULL) {
		decide(out, false, "no certificate", NULL);
		return;
	}
	if (is_denied(rules, identity, out))
		return;
	if (!policy_rules_allow(rules)) {
		decide(out, true, "no rule", NULL);
		return;
	}
	if (is_allowed_by_key(rules, identity, out) ||
		is_allowed_by_policy(rules, identity, out))
		return;
	if (rules->is_any_authorized)
		decide(out, true, "authorize any", NULL);
	else
		policy_reason_missing(rules, identity, out);
}
