#pragma once

#include "conf/rules.h"

struct error;
struct identity;
struct policy_rules;

/*
 * Identities and rules from one line of text, for tests and fuzzers: "KEY
 * VALUE" separated by "|". Whatever is in the text, nothing but a key that
 * does not exist is skipped.
 */

/*
 * "cn billing|dns a.example|bad": the keys are cn ou o dns uri ip email (each
 * any number of times), serial sha256 twin spki issuer_cn issuer_spki, and bad,
 * once for each malformed name. The caller frees.
 */
struct identity *fixture_identity(const char *text);

/*
 * "allow_cn billing|deny_serial 0a|authorize ops|[ops]|allow_ou Ops": keys
 * after a "[NAME]" belong to that policy. NULL with ERR as
 * policy_rules_new().
 */
struct policy_rules *fixture_rules(const char *text, struct error *err);
