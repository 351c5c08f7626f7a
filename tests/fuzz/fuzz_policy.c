/* Rules and identities made up from "RULES\0IDENTITY"; see policy_fixture.h. */
#include "config.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "authz/identity.h"
#include "authz/policy.h"
#include "base/mem.h"
#include "base/text.h"
#include "conf/rule_value.h"
#include "fuzz.h"

/* A target is one file, and the fixture is not in the library. */
#include "../unit/policy_fixture.c"

/* The normal form of a good value is good, and its own normal form. */
static void
check_normal_form(enum rule_kind kind, const char *value)
{
	char *normal, *again;

	if (rule_value_check(kind, value, NULL) < 0)
		return;
	normal = xstrdup(value);
	rule_value_normalise(kind, normal);
	assert(strlen(normal) <= strlen(value));
	assert(rule_value_check(kind, normal, NULL) == 0);
	again = xstrdup(normal);
	rule_value_normalise(kind, again);
	assert(strcmp(normal, again) == 0);
	free(again);
	free(normal);
}

static void
check_serial(const char *value)
{
	char *normal;

	if (rule_value_check_serial(value, NULL) < 0)
		return;
	normal = xstrdup(value);
	rule_value_normalise_serial(normal);
	assert(rule_value_check_serial(normal, NULL) == 0);
	free(normal);
}

static void
check_reason(const struct policy_decision *decision)
{
	const char *at = decision->reason;
	uint32_t code = 0;
	size_t len;

	assert(*at != '\0');
	assert(strnlen(at, POLICY_REASON_MAX) < POLICY_REASON_MAX);
	while ((len = text_utf8(at, &code)) > 0) {
		assert(code >= 0x20 && (code < 0x7f || code > 0x9f));
		at += len;
	}
	assert(*at == '\0');
}

static bool
is_allowed(const struct policy_rules *rules, const struct identity *identity)
{
	struct policy_decision decision;

	policy_decide(rules, identity, &decision);
	check_reason(&decision);
	return decision.allowed;
}

/* What only takes away from an identity never lets it in. */
static void
check_less_is_less(const struct policy_rules *rules, struct identity *identity)
{
	const bool was_allowed = is_allowed(rules, identity);

	identity->n_bad_names++;
	assert(was_allowed || !is_allowed(rules, identity));
	identity->n_bad_names--;
	text_list_add(&identity->uri, "SPIFFE://second/id");
	assert(was_allowed || !is_allowed(rules, identity));
	text_list_add(&identity->dns, "*.example.com");
	assert(was_allowed || !is_allowed(rules, identity));
}

static void
check_decisions(const struct policy_rules *rules, const char *text)
{
	struct identity *identity = fixture_identity(text);
	struct identity *nobody = fixture_identity("");
	char *canonical = policy_rules_text(rules);

	assert(canonical != NULL);
	assert((canonical[0] != '\0') == policy_rules_exist(rules));
	assert(is_allowed(rules, NULL) == !policy_rules_exist(rules));
	(void)is_allowed(rules, nobody);
	check_less_is_less(rules, identity);
	free(canonical);
	identity_free(&nobody);
	identity_free(&identity);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xcalloc(size + 2, 1);
	const char *second;
	struct policy_rules *rules;

	if (size > 0)
		memcpy(text, data, size);
	second = text + strlen(text) + 1;
	if (second > text + size)
		second = "";
	for (enum rule_kind kind = 0; kind < RULE_N_KINDS; kind++)
		check_normal_form(kind, second);
	check_serial(second);
	rules = fixture_rules(text, NULL);
	if (rules != NULL)
		check_decisions(rules, second);
	policy_rules_free(&rules);
	free(text);
	return 0;
}
