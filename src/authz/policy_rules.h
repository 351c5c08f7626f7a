#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "authz/policy_values.h"
#include "conf/rules.h"

struct identity;
struct policy_decision;

/* Rules as they are compiled: for the files behind policy.h only. */

/* All the keys of one section. */
struct policy_keys {
	struct policy_values values[RULE_N_KINDS];
};

bool policy_keys_has(const struct policy_keys *keys, enum rule_kind kind);
bool policy_keys_exist(const struct policy_keys *keys);

/* Is the key there, and does IDENTITY satisfy none of its values? */
bool policy_keys_lack(const struct policy_keys *keys, enum rule_kind kind,
	const struct identity *identity);

struct policy {
	char *name;
	struct policy_keys keys; /* all of them must match */
};

struct policy_rules {
	struct policy_keys keys; /* any of them lets in */
	struct text_list deny_serial;
	struct text_list deny_cert_sha256;
	bool is_any_authorized;
	struct policy *policies;
	size_t n_policies;
};

/* Is there anything that a certificate has to satisfy? */
bool policy_rules_allow(const struct policy_rules *rules);

/* Refuses an IDENTITY that satisfies nothing, and says what was missing. */
void policy_reason_missing(const struct policy_rules *rules,
	const struct identity *identity, struct policy_decision *out);
