/* What a refused certificate lacked, in words. */
#include "config.h"

#include "authz/policy.h"

#include <stdio.h>
#include <string.h>

#include "authz/identity.h"
#include "authz/policy_rules.h"
#include "authz/policy_text.h"
#include "authz/policy_uri.h"

/* Is there a rule of KIND, wherever? */
static bool
is_asked(const struct policy_rules *rules, enum rule_kind kind)
{
	bool is_found = policy_keys_has(&rules->keys, kind);

	for (size_t i = 0; !is_found && i < rules->n_policies; i++)
		is_found = policy_keys_has(&rules->policies[i].keys, kind);
	return is_found;
}

static bool
has_wildcard(const struct text_list *names)
{
	for (size_t i = 0; i < names->n; i++) {
		if (strchr(names->items[i], '*') != NULL)
			return true;
	}
	return false;
}

/* What is odd about the certificate itself, where a rule met it. */
static void
add_oddities(struct policy_line *line, const struct policy_rules *rules,
	const struct identity *identity)
{
	const char *problem = policy_uri_problem(identity);
	const bool dns = is_asked(rules, RULE_DNS_SAN);
	const bool uri = is_asked(rules, RULE_URI_SAN);

	if (identity->n_bad_names > 0 &&
		(dns || uri || is_asked(rules, RULE_IP_SAN) ||
			is_asked(rules, RULE_EMAIL_SAN)))
		policy_line_add(line, "; the certificate has malformed names");
	if (uri && problem != NULL) {
		policy_line_add(line, "; ");
		policy_line_add(line, problem);
	}
	if (dns && has_wildcard(&identity->dns))
		policy_line_add(
			line, "; a wildcard in a certificate never matches");
}

/* The keys of the section that IDENTITY does not satisfy, after WORDS. */
static void
add_lacking(struct policy_line *line, const char *words,
	const struct policy_keys *keys, const struct identity *identity)
{
	const char *separator = words;

	for (enum rule_kind kind = 0; kind < RULE_N_KINDS; kind++) {
		if (!policy_keys_lack(keys, kind, identity))
			continue;
		policy_line_add(line, separator);
		policy_line_add(line, policy_text_key(kind));
		separator = ", ";
	}
}

static void
add_policy(struct policy_line *line, const struct policy *policy,
	const struct identity *identity)
{
	policy_line_add(line, "; policy ");
	policy_line_add(line, policy->name);
	if (policy_keys_exist(&policy->keys))
		add_lacking(line, " lacks ", &policy->keys, identity);
	else
		policy_line_add(line, " is empty");
}

void
policy_reason_missing(const struct policy_rules *rules,
	const struct identity *identity, struct policy_decision *out)
{
	struct policy_line line;

	out->allowed = false;
	policy_line_start(&line, out->reason, sizeof out->reason);
	policy_line_add(&line, "no rule matches");
	add_oddities(&line, rules, identity);
	add_lacking(&line, "; not in ", &rules->keys, identity);
	for (size_t i = 0; i < rules->n_policies; i++)
		add_policy(&line, &rules->policies[i], identity);
}
