#pragma once

/* The form of URI rules (allow_uri_san): globs in the path, the rest literal.
 * Pure. Behind rule_value, for which this is the longest kind. */

/* SPIFFE IDs are at most so long; nobody's identity needs more. */
#define RULE_URI_MAX 2048

/* What is wrong with RULE; NULL if nothing is. */
const char *rule_uri_problem(const char *rule);

/* Lower case where case does not count: the scheme, and the trust domain of a
 * SPIFFE ID. In place. */
void rule_uri_normalise(char *rule);
