#pragma once

#include <stddef.h>

#include "base/text.h"
#include "conf/rules.h"

struct cidr;
struct error;
struct identity;

/*
 * The values of one key, compiled: any of them lets a certificate in. Owns all
 * it has. Zero-initialised is a key that is not there.
 */
struct policy_values {
	struct text_list texts; /* normal, sorted, each once */
	struct cidr *ranges;    /* of addresses: one for each text */
};

/* Copies LIST, vets and normalises it. -1 with ERR (and VALUES empty) if one
 * makes no sense. */
int policy_values_init(struct policy_values *values, enum rule_kind kind,
	const struct text_list *list, struct error *err);
void policy_values_done(struct policy_values *values);

/*
 * The value that IDENTITY satisfies, or NULL. While a name of the certificate
 * is malformed (n_bad_names), no value of a subjectAltName key is satisfied:
 * what a CA that issues such names has vetted is anybody's guess.
 */
const char *policy_values_find(const struct policy_values *values,
	enum rule_kind kind, const struct identity *identity);
