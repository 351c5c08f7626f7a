#pragma once

#include <stdbool.h>

struct identity;

/*
 * URIs of a certificate against a rule (RFC 5280, section 4.2.1.6; SPIFFE-ID
 * and X.509-SVID). Pure; nothing is decoded: two spellings of one URI are two
 * URIs.
 */

/*
 * Does URI satisfy RULE (normal, conf/rule_value.h)? The scheme without regard
 * to case, the rest literally; in the path "*" stands for one or more bytes
 * within a part, and "**" as the last part for one or more parts. What has a
 * part "." or "..", or is longer than 2048 bytes, satisfies nothing; nor does
 * a SPIFFE ID that is not of the form the standard prescribes.
 */
bool policy_uri_matches(const char *rule, const char *uri);

/* Why no URI of IDENTITY satisfies any rule, whatever is in it; NULL if that
 * is not so. X.509-SVID: a SPIFFE ID is the only URI there (section 2), and who
 * signs others does not come in as itself (section 5.2). */
const char *policy_uri_problem(const struct identity *identity);
