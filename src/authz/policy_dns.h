#pragma once

struct text_list;

/*
 * DNS names of a certificate against those of a rule (RFC 9525, section 6.3,
 * seen from the other side). Pure.
 *
 * RULES are normal (conf/rule_value.h) and sorted: names, and "*.x" for any
 * one label before x. Returns the rule that NAME satisfies, or NULL. A
 * wildcard in NAME, a trailing dot (RFC 5280 has none, and name constraints
 * do not see through it) or an overlong NAME satisfy nothing, not even a rule
 * that reads the same.
 */
const char *policy_dns_find(const struct text_list *rules, const char *name);
