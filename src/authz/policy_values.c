/* The values of one key against a certificate. */
#include "config.h"

#include "authz/policy_values.h"

#include <stdlib.h>
#include <string.h>

#include "authz/identity.h"
#include "authz/policy_dns.h"
#include "authz/policy_ip.h"
#include "authz/policy_list.h"
#include "authz/policy_uri.h"
#include "base/cidr.h"
#include "base/mem.h"
#include "conf/rule_value.h"

/* 64 bytes, "@", and a name of the DNS: RFC 5321, section 4.5.3.1. */
#define EMAIL_MAX (64 + 1 + 253)

/* In one spelling, so that equal rules have equal texts. */
static void
respell_addresses(struct text_list *texts)
{
	for (size_t i = 0; i < texts->n; i++) {
		char text[POLICY_IP_TEXT_MAX];
		struct cidr range;

		(void)cidr_parse(texts->items[i], &range, NULL); /* vetted */
		free(texts->items[i]);
		texts->items[i] = xstrdup(policy_ip_text(&range, text));
	}
}

static struct cidr *
parse_addresses(const struct text_list *texts)
{
	struct cidr *ranges = xcalloc(texts->n + 1, sizeof *ranges);

	for (size_t i = 0; i < texts->n; i++)
		(void)cidr_parse(texts->items[i], &ranges[i], NULL);
	return ranges;
}

int
policy_values_init(struct policy_values *values, enum rule_kind kind,
	const struct text_list *list, struct error *err)
{
	*values = (struct policy_values){0};
	for (size_t i = 0; i < list->n; i++) {
		if (rule_value_check(kind, list->items[i], err) < 0) {
			policy_values_done(values);
			return -1;
		}
		text_list_add(&values->texts, list->items[i]);
		rule_value_normalise(kind, values->texts.items[i]);
	}
	if (kind == RULE_IP_SAN)
		respell_addresses(&values->texts);
	policy_list_sort(&values->texts);
	if (kind == RULE_IP_SAN)
		values->ranges = parse_addresses(&values->texts);
	return 0;
}

void
policy_values_done(struct policy_values *values)
{
	text_list_done(&values->texts);
	free(values->ranges);
	*values = (struct policy_values){0};
}

static const char *
find_one(const struct text_list *rules, const char *text)
{
	return text != NULL ? policy_list_find(rules, text) : NULL;
}

static const char *
find_email(const struct text_list *rules, const char *name)
{
	const size_t len = strnlen(name, EMAIL_MAX + 1);
	char normal[EMAIL_MAX + 1];

	if (len > EMAIL_MAX)
		return NULL;
	memcpy(normal, name, len + 1);
	rule_value_normalise(RULE_EMAIL_SAN, normal);
	return policy_list_find(rules, normal);
}

static const char *
find_uri(const struct text_list *rules, const char *name)
{
	for (size_t i = 0; i < rules->n; i++) {
		if (policy_uri_matches(rules->items[i], name))
			return rules->items[i];
	}
	return NULL;
}

/* How one name of a certificate is looked up. */
typedef const char *(*find_fn)(const struct text_list *rules, const char *name);

static const char *
find_any(const struct text_list *rules, const struct text_list *names,
	find_fn find)
{
	const char *found = NULL;

	for (size_t i = 0; found == NULL && i < names->n; i++)
		found = find(rules, names->items[i]);
	return found;
}

static const char *
find_address(const struct policy_values *values, const struct text_list *names)
{
	const size_t n = values->texts.n;

	for (size_t i = 0; i < names->n; i++) {
		const size_t at =
			policy_ip_find(values->ranges, n, names->items[i]);

		if (at < n)
			return values->texts.items[at];
	}
	return NULL;
}

/* A key of the subjectAltName extension. */
static const char *
find_san(const struct policy_values *values, enum rule_kind kind,
	const struct identity *identity)
{
	const struct text_list *rules = &values->texts;

	if (identity->n_bad_names > 0)
		return NULL;
	if (kind == RULE_DNS_SAN)
		return find_any(rules, &identity->dns, policy_dns_find);
	if (kind == RULE_EMAIL_SAN)
		return find_any(rules, &identity->email, find_email);
	if (kind == RULE_IP_SAN)
		return find_address(values, &identity->ip);
	if (policy_uri_problem(identity) != NULL)
		return NULL;
	return find_any(rules, &identity->uri, find_uri);
}

const char *
policy_values_find(const struct policy_values *values, enum rule_kind kind,
	const struct identity *identity)
{
	const struct text_list *rules = &values->texts;

	switch (kind) {
	case RULE_CN:
		return find_any(rules, &identity->cn, policy_list_find);
	case RULE_OU:
		return find_any(rules, &identity->ou, policy_list_find);
	case RULE_O:
		return find_any(rules, &identity->o, policy_list_find);
	case RULE_DNS_SAN:
	case RULE_URI_SAN:
	case RULE_IP_SAN:
	case RULE_EMAIL_SAN:
		return find_san(values, kind, identity);
	case RULE_CERT_SHA256:
		return find_one(rules, identity->sha256);
	case RULE_SPKI_SHA256:
		return find_one(rules, identity->spki_sha256);
	case RULE_ISSUER_CN:
		return find_one(rules, identity->issuer_cn);
	case RULE_ISSUER_SPKI_SHA256:
		return find_one(rules, identity->issuer_spki_sha256);
	case RULE_N_KINDS:
		break;
	}
	return NULL;
}
