#include "command_line.h"

#include <fcntl.h>
#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"

/* The words of TEXT, which *TEXT_OUT owns, as a command line. */
static int
parse(const char *text, struct command_line *out, char **text_out)
{
	char *words[32] = {NULL};
	char *rest = *text_out = xstrdup(text);
	int n = 0;

	for (char *word; n < 31 && (word = strsep(&rest, " ")) != NULL;)
		words[n++] = word;
	optind = 0; /* starts getopt afresh */
	return command_line_parse(n, words, out);
}

static struct command_line line;
static char *text;

static void
take(const char *words)
{
	free(text);
	assert_int_equal(parse(words, &line, &text), 0);
}

/* What is refused is explained, which is nothing for the log of a test. */
static void
refuse(const char *words)
{
	int kept = dup(STDERR_FILENO);
	int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
	int status;

	assert_true(kept >= 0 && nowhere >= 0);
	assert_true(dup2(nowhere, STDERR_FILENO) >= 0);
	free(text);
	status = parse(words, &line, &text);
	assert_true(dup2(kept, STDERR_FILENO) >= 0);
	(void)close(nowhere);
	(void)close(kept);
	assert_int_equal(status, -1);
}

static void
no_words_serve_the_usual_file(void **state)
{
	(void)state;
	take("sallyport");
	assert_int_equal(line.command, COMMAND_SERVE);
	assert_string_equal(line.options.path, COMMAND_LINE_DEFAULT_PATH);
}

static void
another_file_can_be_served(void **state)
{
	(void)state;
	take("sallyport -c gw.ini");
	assert_int_equal(line.command, COMMAND_SERVE);
	assert_string_equal(line.options.path, "gw.ini");
	take("sallyport --config=gw.ini");
	assert_string_equal(line.options.path, "gw.ini");
}

static void
check_takes_its_options_on_either_side(void **state)
{
	(void)state;
	take("sallyport --strict check -c gw.ini --json --listener web");
	assert_int_equal(line.command, COMMAND_CHECK);
	assert_string_equal(line.options.path, "gw.ini");
	assert_string_equal(line.options.listener, "web");
	assert_true(line.options.strict);
	assert_true(line.options.json);
	assert_false(line.options.print);
	take("sallyport check --print");
	assert_true(line.options.print);
	assert_null(line.options.listener);
}

static void
authorize_takes_its_options_on_either_side(void **state)
{
	(void)state;
	take("sallyport --json authorize -c gw.ini --listener gw --cert c.pem "
	     "--server-name api.example --chain a.pem --chain b.pem");
	assert_int_equal(line.command, COMMAND_AUTHORIZE);
	assert_string_equal(line.authorize.path, "gw.ini");
	assert_string_equal(line.authorize.listener, "gw");
	assert_string_equal(line.authorize.cert, "c.pem");
	assert_string_equal(line.authorize.server_name, "api.example");
	assert_int_equal(line.authorize.n_chain, 2);
	assert_string_equal(line.authorize.chain[0], "a.pem");
	assert_string_equal(line.authorize.chain[1], "b.pem");
	assert_true(line.authorize.json);
}

static void
reload_and_status_take_a_file_or_a_socket(void **state)
{
	(void)state;
	take("sallyport reload -c gw.ini");
	assert_int_equal(line.command, COMMAND_RELOAD);
	assert_string_equal(line.control.path, "gw.ini");
	assert_null(line.control.socket);
	take("sallyport --socket /run/a.sock status --json");
	assert_int_equal(line.command, COMMAND_STATUS);
	assert_string_equal(line.control.socket, "/run/a.sock");
	assert_true(line.control.json);
	refuse("sallyport reload --json");
	refuse("sallyport reload --strict");
	refuse("sallyport status --print");
	refuse("sallyport status --listener gw");
	refuse("sallyport check --socket /run/a.sock");
	refuse("sallyport --socket /run/a.sock");
}

static void
authorize_needs_no_more_than_listener_and_certificate(void **state)
{
	(void)state;
	take("sallyport authorize --listener gw --cert c.pem");
	assert_string_equal(line.authorize.path, COMMAND_LINE_DEFAULT_PATH);
	assert_null(line.authorize.server_name);
	assert_int_equal(line.authorize.n_chain, 0);
	assert_false(line.authorize.json);
	refuse("sallyport authorize");
	refuse("sallyport authorize --listener gw");
	refuse("sallyport authorize --cert c.pem");
	refuse("sallyport authorize --listener gw --cert c.pem c.pem");
	refuse("sallyport authorize --listener gw --cert c.pem "
	       "--server-name ");
	refuse("sallyport authorize check --listener gw --cert c.pem");
}

static void
a_chain_has_an_end(void **state)
{
	char words[512];
	size_t len;

	(void)state;
	len = (size_t)snprintf(words, sizeof words,
		"sallyport authorize --listener=gw --cert=x");
	for (int i = 0; i < AUTHORIZE_CHAIN_MAX; i++)
		len += (size_t)snprintf(
			words + len, sizeof words - len, " --chain=x");
	take(words);
	assert_int_equal(line.authorize.n_chain, AUTHORIZE_CHAIN_MAX);
	(void)snprintf(words + len, sizeof words - len, " --chain=x");
	refuse(words);
}

static void
version_and_help_go_before_all_else(void **state)
{
	(void)state;
	take("sallyport --version");
	assert_int_equal(line.command, COMMAND_VERSION);
	take("sallyport check --help");
	assert_int_equal(line.command, COMMAND_HELP);
	take("sallyport authorize --cert c.pem --help");
	assert_int_equal(line.command, COMMAND_HELP);
}

static void
words_without_sense_are_refused(void **state)
{
	(void)state;
	refuse("sallyport serve");
	refuse("sallyport check gw.ini");
	refuse("sallyport -x");
	refuse("sallyport --nonsense");
	refuse("sallyport -c");
	refuse("sallyport check --listener");
}

static void
options_of_check_need_it(void **state)
{
	(void)state;
	refuse("sallyport --strict");
	refuse("sallyport --json");
	refuse("sallyport --print");
	refuse("sallyport --listener web");
	refuse("sallyport authorize --listener gw --cert c.pem --strict");
	refuse("sallyport authorize --listener gw --cert c.pem --print");
}

static void
options_of_authorize_need_it(void **state)
{
	(void)state;
	refuse("sallyport --cert c.pem");
	refuse("sallyport check --cert c.pem");
	refuse("sallyport check --chain c.pem");
	refuse("sallyport check --server-name x");
}

static void
two_things_cannot_both_be_the_output(void **state)
{
	(void)state;
	refuse("sallyport check --json --print");
}

static int
forget(void **state)
{
	(void)state;
	free(text);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_words_serve_the_usual_file),
		cmocka_unit_test(another_file_can_be_served),
		cmocka_unit_test(check_takes_its_options_on_either_side),
		cmocka_unit_test(authorize_takes_its_options_on_either_side),
		cmocka_unit_test(reload_and_status_take_a_file_or_a_socket),
		cmocka_unit_test(
			authorize_needs_no_more_than_listener_and_certificate),
		cmocka_unit_test(a_chain_has_an_end),
		cmocka_unit_test(version_and_help_go_before_all_else),
		cmocka_unit_test(words_without_sense_are_refused),
		cmocka_unit_test(options_of_check_need_it),
		cmocka_unit_test(options_of_authorize_need_it),
		cmocka_unit_test(two_things_cannot_both_be_the_output),
	};

	return cmocka_run_group_tests(tests, NULL, forget);
}
