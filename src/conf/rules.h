#pragma once

#include "base/text.h"

struct section;

/*
 * Rules on client certificates, as written: who may come in. What they mean is
 * authz/policy's; here they are text that has been vetted for its form.
 */
enum rule_kind {
	RULE_CN,
	RULE_OU,
	RULE_O,
	RULE_DNS_SAN, /* lower case */
	RULE_URI_SAN,
	RULE_IP_SAN, /* address or CIDR */
	RULE_EMAIL_SAN,
	RULE_CERT_SHA256, /* lower-case hex without colons, 64 digits */
	RULE_SPKI_SHA256,
	RULE_ISSUER_CN,          /* in a [policy] only */
	RULE_ISSUER_SPKI_SHA256, /* in a [policy] only */
	RULE_N_KINDS
};

enum on_deauthorize { ON_DEAUTHORIZE_CLOSE, ON_DEAUTHORIZE_KEEP };

/* Of a listener or a server name: any value of any key lets in (OR), and so
 * does any policy that is named; deny always wins. */
struct rule_settings {
	struct text_list allow[RULE_N_KINDS];
	struct text_list deny_serial; /* lower-case hex, no leading zeros */
	struct text_list deny_cert_sha256;
	struct text_list authorize; /* names of policies, or "any" */
	int on_deauthorize;         /* enum on_deauthorize */
};

/* A [policy NAME]: all keys in it must match (AND), any value of one (OR). */
struct policy_settings {
	char *name;
	struct section *section;
	struct text_list allow[RULE_N_KINDS];
};
