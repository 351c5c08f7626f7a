/* Cipher suites of a listener. */
#include "tls/tls_cipher.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/mem.h"
#include "conf/report.h"
#include "conf/settings.h"

#define DEFAULT_CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20"

/* The default has nothing that TLS 1.1 knows. */
#define LEGACY_CIPHERS DEFAULT_CIPHERS ":ECDHE+AES"

/* No anonymous server, no encryption in name only, and a stolen key must not
 * open what was recorded. */
#define NEVER ":!aNULL:!eNULL:!kRSA"

static int
set_ciphers(SSL_CTX *ssl_ctx, const struct listener_settings *listener,
	struct report *report)
{
	const char *text = listener->tls.ciphers;
	char *full;
	int ok;

	if (text == NULL || strcmp(text, DEFAULT_CIPHERS) == 0)
		text = listener->tls.minimum_version < TLS_VERSION_1_2
			       ? LEGACY_CIPHERS
			       : DEFAULT_CIPHERS;
	full = xasprintf("%s" NEVER, text);
	ok = SSL_CTX_set_cipher_list(ssl_ctx, full);
	free(full);
	ERR_clear_error();
	if (ok == 1)
		return 0;
	settings_report(listener, "ciphers", 0, REPORT_ERROR, report,
		"ciphers \"%s\" leaves no cipher for TLS 1.2", text);
	return -1;
}

/* OpenSSL 3 skips unknown names in silence: one by one they show. */
static bool
is_known_suite(const char *name)
{
	SSL_CTX *probe = SSL_CTX_new(TLS_server_method());
	STACK_OF(SSL_CIPHER) * all;
	bool known = false;

	if (probe == NULL)
		return false;
	if (SSL_CTX_set_ciphersuites(probe, name) == 1) {
		all = SSL_CTX_get_ciphers(probe);
		for (int i = 0; !known && i < sk_SSL_CIPHER_num(all); i++)
			known = strcmp(SSL_CIPHER_get_name(
					       sk_SSL_CIPHER_value(all, i)),
					name) == 0;
	}
	SSL_CTX_free(probe);
	ERR_clear_error();
	return known;
}

static int
check_suites(const struct listener_settings *listener, const char *suites,
	struct report *report)
{
	char *copy = xstrdup(suites);
	char *rest = NULL;
	int status = 0;

	for (char *name = strtok_r(copy, ":", &rest); name != NULL;
		name = strtok_r(NULL, ":", &rest)) {
		if (strncmp(name, "TLS_", 4) == 0 && is_known_suite(name))
			continue;
		settings_report(listener, "ciphersuites", 0, REPORT_ERROR,
			report,
			"ciphersuites: \"%s\" is no TLS 1.3 cipher suite of "
			"this OpenSSL",
			name);
		status = -1;
	}
	free(copy);
	return status;
}

static int
set_ciphersuites(SSL_CTX *ssl_ctx, const struct listener_settings *listener,
	struct report *report)
{
	const char *suites = listener->tls.ciphersuites;

	if (suites == NULL)
		return 0;
	if (check_suites(listener, suites, report) < 0)
		return -1;
	if (SSL_CTX_set_ciphersuites(ssl_ctx, suites) == 1)
		return 0;
	ERR_clear_error();
	settings_report(listener, "ciphersuites", 0, REPORT_ERROR, report,
		"ciphersuites \"%s\" cannot be used", suites);
	return -1;
}

/* A legal range of versions and legal ciphers may still not meet. */
static int
check_any_left(SSL_CTX *ssl_ctx, const struct listener_settings *listener,
	struct report *report)
{
	STACK_OF(SSL_CIPHER) *left = NULL;
	SSL *ssl;
	int n = 0;

	/* No version is left at all: settings_check() has said so. */
	if (listener->tls.maximum_version < listener->tls.minimum_version)
		return 0;
	ssl = SSL_new(ssl_ctx);
	if (ssl != NULL)
		left = SSL_get1_supported_ciphers(ssl);
	if (left != NULL)
		n = sk_SSL_CIPHER_num(left);
	sk_SSL_CIPHER_free(left);
	SSL_free(ssl);
	ERR_clear_error();
	if (n > 0)
		return 0;
	settings_report(listener, "ciphers", 0, REPORT_ERROR, report,
		"ciphers and ciphersuites leave none for the versions "
		"between minimum_version and maximum_version");
	return -1;
}

int
tls_cipher_set(struct ssl_ctx_st *ssl_ctx,
	const struct listener_settings *listener, struct report *report)
{
	int status = set_ciphers(ssl_ctx, listener, report);

	if (set_ciphersuites(ssl_ctx, listener, report) < 0)
		status = -1;
	if (status < 0)
		return -1;
	return check_any_left(ssl_ctx, listener, report);
}
