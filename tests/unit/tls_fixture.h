#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "certs.h"
#include "conf/file_source.h"
#include "conf/report.h"
#include "conf/settings.h"
#include "tls/tls_load.h"

/*
 * A directory with the files of one listener and the settings read from it.
 * Every failure of the fixture ends the test.
 */
struct tls_ctx;

struct fixture {
	char dir[64];
	struct file_source *files;
	struct report *report;
	struct settings *settings;
	struct listener_settings *listener; /* the only one */
	struct tls_load load;               /* of that listener */
	char *text;                         /* fixture_report() */
};

/* Setup and teardown of cmocka: *STATE is the fixture. The teardown removes
 * the directory. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/* Creates NAME in the directory, for its owner only. */
void fixture_write(struct fixture *it, const char *name, const char *text);
void fixture_write_bytes(
	struct fixture *it, const char *name, const void *bytes, size_t len);
/* NAME.pem and NAME.key */
void fixture_write_cert(
	struct fixture *it, const char *name, const struct cert *cert);

/* Reads a file with one listener, which says LINES ("cafile = ca.pem\n") as
 * well as listen and backend. */
void fixture_configure(struct fixture *it, const char *lines);

/* What has been found so far, as it is printed. */
const char *fixture_report(struct fixture *it);
void fixture_assert_reported(struct fixture *it, const char *text);
/* Nobody may ever find bits of a private key in a message. */
void fixture_assert_no_secret(struct fixture *it, const struct cert *cert);

/* A context of the listener; it must be possible. */
struct tls_ctx *fixture_ctx(struct fixture *it);
