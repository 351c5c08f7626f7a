#include "tls/tls_keylog.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "handshake.h"
#include "tls/tls_ctx.h"
#include "tls/tls_ctx_parts.h"
#include "tls/tls_sni.h"
#include "tls_contexts.h"

#define BASE "certfile = gw.pem\nkeyfile = gw.key\n"

static int
setup(void **state)
{
	struct cert server = cert_make_server("gw", NULL);
	int status = fixture_setup(state);

	fixture_write_cert(*state, "gw", &server);
	cert_done(&server);
	return status;
}

/* The caller frees. NULL: no such file. */
static char *
read_file(struct fixture *it, const char *name)
{
	char *text = calloc(1, 8192);
	char path[512];
	FILE *file;

	(void)snprintf(path, sizeof path, "%s/%s", it->dir, name);
	file = fopen(path, "r");
	if (file == NULL) {
		free(text);
		return NULL;
	}
	assert_true(fread(text, 1, 8191, file) < 8191);
	(void)fclose(file);
	return text;
}

static void
connect_once(struct tls_ctx *ctx, int version, const char *name)
{
	SSL_CTX *client = client_ctx_new(NULL, version);
	struct outcome outcome =
		handshake_for(tls_ctx_ssl(ctx), client, NULL, name);

	assert_true(outcome.server_done);
	outcome_done(&outcome);
	SSL_CTX_free(client);
}

static void
the_secrets_of_a_connection_are_written(void **state)
{
	struct fixture *it = *state;
	struct tls_ctx *ctx =
		context_make(it, "gw", BASE "keylog_filename = keys.log\n");
	char *text;

	connect_once(ctx, TLS1_3_VERSION, NULL);
	connect_once(ctx, TLS1_2_VERSION, NULL);
	text = read_file(it, "keys.log");
	assert_non_null(text);
	assert_non_null(strstr(text, "CLIENT_TRAFFIC_SECRET_0 "));
	assert_non_null(strstr(text, "SERVER_TRAFFIC_SECRET_0 "));
	assert_non_null(strstr(text, "\nCLIENT_RANDOM "));
	assert_int_equal(text[strlen(text) - 1], '\n');
	free(text);
	tls_ctx_unref(&ctx);
}

static void
the_file_is_for_its_owner_only(void **state)
{
	struct fixture *it = *state;
	struct tls_ctx *ctx =
		context_make(it, "gw", BASE "keylog_filename = keys.log\n");
	struct stat info;

	assert_int_equal(fstat(ctx->keylog_fd, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
	tls_ctx_unref(&ctx);
}

static void
lines_are_appended_to_what_is_there(void **state)
{
	struct fixture *it = *state;
	struct tls_ctx *ctx;
	char *text;

	fixture_write(it, "keys.log", "# before\n");
	ctx = context_make(it, "gw", BASE "keylog_filename = keys.log\n");
	connect_once(ctx, TLS1_2_VERSION, NULL);
	text = read_file(it, "keys.log");
	assert_non_null(text);
	assert_int_equal(strncmp(text, "# before\nCLIENT_RANDOM ", 23), 0);
	free(text);
	tls_ctx_unref(&ctx);
}

static void
without_the_key_nothing_is_written(void **state)
{
	struct fixture *it = *state;
	struct tls_ctx *ctx = context_make(it, "gw", BASE);

	assert_int_equal(ctx->keylog_fd, -1);
	assert_null(SSL_CTX_get_keylog_callback(tls_ctx_ssl(ctx)));
	tls_ctx_unref(&ctx);
}

static void
only_the_connections_of_its_server_name_are_written(void **state)
{
	struct fixture *it = *state;
	struct tls_ctx *root = context_make(it, "gw", BASE);
	struct tls_ctx *api =
		context_make(it, "api", BASE "keylog_filename = keys.log\n");
	struct tls_sni *names = tls_sni_new();
	char *text;

	assert_true(tls_sni_add(names, "api", api));
	tls_ctx_set_names(root, names, false);
	tls_ctx_unref(&api);
	connect_once(root, TLS1_2_VERSION, NULL);
	text = read_file(it, "keys.log");
	assert_string_equal(text, "");
	free(text);
	connect_once(root, TLS1_2_VERSION, "api");
	text = read_file(it, "keys.log");
	assert_non_null(strstr(text, "CLIENT_RANDOM "));
	free(text);
	tls_ctx_unref(&root);
}

static void
a_file_that_cannot_be_opened_is_an_error(void **state)
{
	context_fails(*state, BASE "keylog_filename = none/keys.log\n",
		"context.ini:6: [listener gw] keylog_filename "
		"\"none/keys.log\": No such file or directory");
}

static void
a_disk_that_is_full_does_not_stop_a_connection(void **state)
{
	struct fixture *it = *state;
	struct tls_ctx *ctx =
		context_make(it, "gw", BASE "keylog_filename = keys.log\n");
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	assert_true(full >= 0);
	assert_true(dup2(full, ctx->keylog_fd) >= 0);
	connect_once(ctx, TLS1_3_VERSION, NULL);
	(void)close(full);
	tls_ctx_unref(&ctx);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_secrets_of_a_connection_are_written),
		TEST(the_file_is_for_its_owner_only),
		TEST(lines_are_appended_to_what_is_there),
		TEST(without_the_key_nothing_is_written),
		TEST(only_the_connections_of_its_server_name_are_written),
		TEST(a_file_that_cannot_be_opened_is_an_error),
		TEST(a_disk_that_is_full_does_not_stop_a_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
