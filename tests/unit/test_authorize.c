#include "check/authorize.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tls_fixture.h"

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

#define API                                                                    \
	"[server_name api]\nlistener = gw\nserver_name = api.example "         \
	"*.w.example\nallow_cn = admin\n"

static char output[8192];

/* All that FD holds, into output. */
static void
keep_output(int fd)
{
	ssize_t len = pread(fd, output, sizeof output - 1, 0);

	assert_true(len >= 0);
	output[len] = '\0';
}

/* The exit status for OPTIONS; what is printed on either stream is kept. */
static int
run(const struct authorize_options *options)
{
	char path[] = "/tmp/sallyport-test-XXXXXX";
	int fd = mkstemp(path);
	int kept[2] = {dup(STDOUT_FILENO), dup(STDERR_FILENO)};
	int status;

	assert_true(fd >= 0 && kept[0] >= 0 && kept[1] >= 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(fflush(stdout), 0);
	assert_true(dup2(fd, STDOUT_FILENO) >= 0);
	assert_true(dup2(fd, STDERR_FILENO) >= 0);
	status = authorize_main(options);
	(void)fflush(stdout);
	assert_true(dup2(kept[0], STDOUT_FILENO) >= 0);
	assert_true(dup2(kept[1], STDERR_FILENO) >= 0);
	(void)close(kept[0]);
	(void)close(kept[1]);
	keep_output(fd);
	(void)close(fd);
	return status;
}

/* Of a client CN at a gateway with LINES. */
static int
ask(struct fixture *it, const char *lines, const char *cn,
	struct authorize_options options)
{
	struct cert ca = cert_make_ca("CA");
	struct cert gw = cert_make_server("gw", &ca);
	struct cert client = cert_make_client(cn, &ca);
	char text[1024], path[128], cert[128];

	fixture_write_cert(it, "ca", &ca);
	fixture_write_cert(it, "gw", &gw);
	fixture_write_cert(it, "client", &client);
	(void)snprintf(text, sizeof text,
		"[listener gw]\nlisten = 127.0.0.1:0\n"
		"backend = 127.0.0.1:9\ncertfile = gw.pem\n"
		"keyfile = gw.key\ncafile = ca.pem\n%s",
		lines);
	fixture_write(it, "sallyport.ini", text);
	(void)snprintf(path, sizeof path, "%s/sallyport.ini", it->dir);
	(void)snprintf(cert, sizeof cert, "%s/client.pem", it->dir);
	options.path = path;
	if (options.listener == NULL)
		options.listener = "gw";
	if (options.cert == NULL)
		options.cert = cert;
	cert_done(&client);
	cert_done(&gw);
	cert_done(&ca);
	return run(&options);
}

static void
assert_printed(const char *wanted)
{
	if (strstr(output, wanted) == NULL)
		fail_msg("no \"%s\" in:\n%s", wanted, output);
}

static void
who_is_allowed_is_told_the_rule(void **state)
{
	assert_int_equal(ask(*state, "allow_cn = billing\n", "billing",
				 (struct authorize_options){0}),
		EXIT_SUCCESS);
	assert_printed("subject: CN=billing\nissuer: CN=CA\n");
	assert_printed("\nsection: [listener gw]\nallowed: allow_cn billing\n");
}

static void
who_is_refused_is_told_why(void **state)
{
	assert_int_equal(ask(*state, "allow_cn = billing\n", "mallory",
				 (struct authorize_options){0}),
		EXIT_FAILURE);
	assert_printed("\nrefused: client_certificate_denied: ");
}

static void
assert_section(struct fixture *it, const char *server_name, const char *section)
{
	(void)ask(it, "allow_cn = billing\n" API, "admin",
		(struct authorize_options){.server_name = server_name});
	assert_printed(section);
}

static void
the_server_name_decides_which_rules_count(void **state)
{
	assert_section(*state, "api.example", "\nallowed: allow_cn admin\n");
	assert_section(*state, "API.example.", "\nallowed: allow_cn admin\n");
	assert_section(*state, "b.w.example", "[server_name api]\n");
	assert_section(*state, "a.b.w.example", "[listener gw]\nrefused: ");
	assert_section(*state, "w.example", "[listener gw]\nrefused: ");
	assert_section(*state, NULL, "[listener gw]\nrefused: ");
}

static void
a_name_that_nobody_has_can_be_refused(void **state)
{
	const char *lines = "sni_mismatch = reject\nallow_cn = admin\n" API;

	assert_int_equal(
		ask(*state, lines, "admin",
			(struct authorize_options){.server_name = "x.example"}),
		EXIT_FAILURE);
	assert_printed("\nserver name: x.example\nrefused: unrecognized_name: "
		       "nobody here is called x.example\n");
	assert_int_equal(
		ask(*state, lines, "admin", (struct authorize_options){0}),
		EXIT_FAILURE);
	assert_printed("\nserver name: none\nrefused: unrecognized_name: "
		       "the client names no server\n");
	assert_int_equal(ask(*state, lines, "admin",
				 (struct authorize_options){
					 .server_name = "api.example"}),
		EXIT_SUCCESS);
}

static void
json_is_one_object(void **state)
{
	assert_int_equal(ask(*state, "allow_cn = billing\n", "billing",
				 (struct authorize_options){.json = true}),
		EXIT_SUCCESS);
	assert_int_equal(strncmp(output,
				 "{\"allowed\":true,\"reason\":"
				 "\"allow_cn billing\",",
				 44),
		0);
}

static void
of_a_broken_configuration_nobody_knows(void **state)
{
	assert_int_equal(ask(*state, "nonsense = 1\n", "billing",
				 (struct authorize_options){0}),
		EXIT_FAILURE);
	assert_printed(":7: [listener gw] unknown key \"nonsense\"");
	assert_printed("configuration not loaded\n");
	assert_null(strstr(output, "allowed"));
	assert_int_equal(ask(*state, "nonsense = 1\n", "billing",
				 (struct authorize_options){.json = true}),
		EXIT_FAILURE);
	assert_printed("\"errors\":1,");
}

static void
an_unknown_listener_is_an_error(void **state)
{
	assert_int_equal(ask(*state, "", "billing",
				 (struct authorize_options){.listener = "web"}),
		EXIT_FAILURE);
	assert_printed("there is no [listener web] section");
}

static void
files_that_cannot_be_read_are_all_named(void **state)
{
	struct authorize_options options = {
		.cert = "/nonexistent", .chain = {"/dev/null"}, .n_chain = 1};

	assert_int_equal(ask(*state, "", "billing", options), EXIT_FAILURE);
	assert_printed("sallyport: --cert \"/nonexistent\": No such file or "
		       "directory\n");
	assert_printed("sallyport: --chain \"/dev/null\": ");
	assert_null(strstr(output, "allowed"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_is_allowed_is_told_the_rule),
		TEST(who_is_refused_is_told_why),
		TEST(the_server_name_decides_which_rules_count),
		TEST(a_name_that_nobody_has_can_be_refused),
		TEST(json_is_one_object),
		TEST(of_a_broken_configuration_nobody_knows),
		TEST(an_unknown_listener_is_an_error),
		TEST(files_that_cannot_be_read_are_all_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
