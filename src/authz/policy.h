#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "conf/rules.h"

struct error;
struct identity;

/*
 * Rules -> decision and reason: the one place that says who may come in. Pure:
 * no I/O, no clock, no OpenSSL; the chain has been verified before. Bytes of a
 * certificate can never do more than be refused.
 *
 *   deny key matches            -> denied
 *   no allow key, no authorize  -> allowed (a verified chain is enough)
 *   any allow value, any policy -> allowed
 *   otherwise                   -> denied
 */
struct policy_rules; /* of one listener or server name, compiled */

/*
 * Compiles RULES, whose `authorize` names are looked up in POLICIES. Copies
 * all it needs. NULL with ERR: a value that makes no sense, an unknown policy
 * (the configuration has been checked: both are for tests and for tools).
 */
struct policy_rules *policy_rules_new(const struct rule_settings *rules,
	const struct policy_settings *policies, size_t n_policies,
	struct error *err);
void policy_rules_free(struct policy_rules **rules);

/* Is there any rule at all? */
bool policy_rules_exist(const struct policy_rules *rules);

/* Is anybody denied by fingerprint? Then an identity needs its twin_sha256. */
bool policy_rules_deny_fingerprints(const struct policy_rules *rules);

#define POLICY_REASON_MAX 256

struct policy_decision {
	bool allowed;
	/* What decided, for people and for the log: "allow_cn billing",
	 * "policy ops", "authorize any", "no rule", "deny_serial 0a",
	 * "no rule matches". Control bytes never get in. */
	char reason[POLICY_REASON_MAX];
};

/* IDENTITY NULL: a client without a certificate, which no rule ever matches:
 * it is allowed only where there is no rule. */
void policy_decide(const struct policy_rules *rules,
	const struct identity *identity, struct policy_decision *out);

/* All that decides, in a canonical form, for digests: equal rules give equal
 * bytes. malloc'd, the caller frees. */
char *policy_rules_text(const struct policy_rules *rules);
