#include "check/verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "authz/identity.h"
#include "conf/settings.h"

/* Of the client in all tests. */
#define LINES                                                                  \
	"subject: CN=billing\nissuer: CN=CA\nserial: 0a\nsha256: aa\n"         \
	"spki_sha256: bb\n"
#define JSON_IDENTITY                                                          \
	"\"identity\":{\"subject\":\"CN=billing\",\"issuer\":\"CN=CA\","       \
	"\"serial\":\"0a\",\"sha256\":\"aa\",\"spki_sha256\":\"bb\","          \
	"\"dns\":[],\"uri\":[],\"ip\":[],\"email\":[],\"bad_names\":0}}\n"

static char subject[] = "CN=billing", issuer[] = "CN=CA", serial[] = "0a",
	    sha256[] = "aa", spki_sha256[] = "bb", gw[] = "gw", api[] = "api";

static struct identity billing = {.subject = subject,
	.issuer = issuer,
	.serial = serial,
	.sha256 = sha256,
	.spki_sha256 = spki_sha256};
static struct listener_settings gateway = {.name = gw};
static struct listener_settings overlay = {.name = api, .listener = gw};

typedef void (*print_fn)(const struct verdict *verdict, FILE *out);

static void
assert_prints(print_fn print, const struct verdict *verdict, const char *wanted)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	print(verdict, out);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text, wanted);
	free(text);
}

static struct verdict
allowed(void)
{
	return (struct verdict){.identity = &billing,
		.listener = "gw",
		.section = &gateway,
		.allowed = true,
		.decision = {.allowed = true, .reason = "allow_cn billing"}};
}

static struct verdict
refused(void)
{
	return (struct verdict){.identity = &billing,
		.listener = "gw",
		.server_name = "api.example",
		.section = &overlay,
		.failure = {.token = "client_certificate_expired",
			.text = "certificate has expired: depth 0"}};
}

static void
an_allowed_client_has_its_rule(void **state)
{
	const struct verdict verdict = allowed();

	(void)state;
	assert_prints(verdict_print, &verdict,
		LINES "names: none\nlistener: gw\nserver name: none\n"
		      "section: [listener gw]\nallowed: allow_cn billing\n");
	assert_prints(verdict_print_json, &verdict,
		"{\"allowed\":true,\"reason\":\"allow_cn billing\","
		"\"listener\":\"gw\",\"server_name\":null,"
		"\"section\":\"listener gw\"," JSON_IDENTITY);
}

static void
a_refused_client_has_token_and_detail(void **state)
{
	const struct verdict verdict = refused();

	(void)state;
	assert_prints(verdict_print, &verdict,
		LINES "names: none\nlistener: gw\nserver name: api.example\n"
		      "section: [server_name api]\n"
		      "refused: client_certificate_expired: "
		      "certificate has expired: depth 0\n");
	assert_prints(verdict_print_json, &verdict,
		"{\"allowed\":false,\"reason\":\"client_certificate_expired\","
		"\"detail\":\"certificate has expired: depth 0\","
		"\"listener\":\"gw\",\"server_name\":\"api.example\","
		"\"section\":\"server_name api\"," JSON_IDENTITY);
}

static void
nobody_may_serve_the_name(void **state)
{
	struct verdict verdict = refused();

	(void)state;
	verdict.section = NULL;
	assert_prints(verdict_print, &verdict,
		LINES "names: none\nlistener: gw\nserver name: api.example\n"
		      "refused: client_certificate_expired: "
		      "certificate has expired: depth 0\n");
	assert_prints(verdict_print_json, &verdict,
		"{\"allowed\":false,\"reason\":\"client_certificate_expired\","
		"\"detail\":\"certificate has expired: depth 0\","
		"\"listener\":\"gw\",\"server_name\":\"api.example\","
		"\"section\":null," JSON_IDENTITY);
}

static void
names_are_listed_and_bad_ones_counted(void **state)
{
	char dns[] = "a.example", uri[] = "x:\"y\"", ip[] = "::1";
	char *dns_items[] = {dns, dns}, *uri_items[] = {uri},
	     *ip_items[] = {ip};
	struct identity named = billing;
	struct verdict verdict = allowed();

	(void)state;
	named.dns = (struct text_list){dns_items, 2};
	named.uri = (struct text_list){uri_items, 1};
	named.ip = (struct text_list){ip_items, 1};
	named.n_bad_names = 3;
	verdict.identity = &named;
	assert_prints(verdict_print, &verdict,
		LINES "names: DNS:a.example DNS:a.example URI:x:\"y\" IP:::1\n"
		      "malformed names: 3\n"
		      "listener: gw\nserver name: none\n"
		      "section: [listener gw]\nallowed: allow_cn billing\n");
	assert_prints(verdict_print_json, &verdict,
		"{\"allowed\":true,\"reason\":\"allow_cn billing\","
		"\"listener\":\"gw\",\"server_name\":null,"
		"\"section\":\"listener gw\","
		"\"identity\":{\"subject\":\"CN=billing\","
		"\"issuer\":\"CN=CA\",\"serial\":\"0a\",\"sha256\":\"aa\","
		"\"spki_sha256\":\"bb\",\"dns\":[\"a.example\",\"a.example\"],"
		"\"uri\":[\"x:\\\"y\\\"\"],\"ip\":[\"::1\"],\"email\":[],"
		"\"bad_names\":3}}\n");
}

static void
nothing_forges_a_line(void **state)
{
	char forged[] = "CN=x\nallowed: authorize any\x1b[2J";
	struct identity odd = billing;
	struct verdict verdict = refused();

	(void)state;
	odd.subject = forged;
	verdict.identity = &odd;
	verdict.server_name = "x\nallowed: y";
	(void)snprintf(verdict.failure.text, sizeof verdict.failure.text,
		"bad\r\nallowed: z");
	assert_prints(verdict_print, &verdict,
		"subject: CN=x\\x0aallowed: authorize any\\x1b[2J\n"
		"issuer: CN=CA\nserial: 0a\nsha256: aa\nspki_sha256: bb\n"
		"names: none\nlistener: gw\n"
		"server name: x\\x0aallowed: y\nsection: [server_name api]\n"
		"refused: client_certificate_expired: "
		"bad\\x0d\\x0aallowed: z\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_allowed_client_has_its_rule),
		cmocka_unit_test(a_refused_client_has_token_and_detail),
		cmocka_unit_test(nobody_may_serve_the_name),
		cmocka_unit_test(names_are_listed_and_bad_ones_counted),
		cmocka_unit_test(nothing_forges_a_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
