#pragma once

#include "conf/rules.h"

struct error;

/*
 * The form of one value of a rule on client certificates: what makes no sense
 * is an error before anybody relies on it. Pure. Errors quote the value and
 * do not name the key.
 */

/* Is VALUE, as the user wrote it, one that a rule of KIND can have? 0, or -1
 * with ERR. Accepts what rule_value_normalise() makes of it as well. */
int rule_value_check(enum rule_kind kind, const char *value, struct error *err);

/*
 * The form in which the rules compare, in place (never longer): lower case
 * where case does not count, no trailing dot, no colons in fingerprints. VALUE
 * has passed rule_value_check(). Twice is the same as once.
 */
void rule_value_normalise(enum rule_kind kind, char *value);

/* The same for deny_serial: hex, with or without colons or "0x", "-" before a
 * negative one; normal: lower case, no leading zeros. */
int rule_value_check_serial(const char *value, struct error *err);
void rule_value_normalise_serial(char *value);
