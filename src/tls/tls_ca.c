/* Trust anchors of a listener, and what strict verification will dislike. */
#include "tls/tls_ca.h"

#include <stdint.h>
#include <stddef.h>

#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/error.h"
#include "conf/settings.h"
#include "tls/tls_error.h"
#include "tls/tls_load.h"
#include "tls/tls_name.h"

/* What a CA lacks for X509_V_FLAG_X509_STRICT, and OpenSSL's code for it. */
struct defect {
	const char *text;
	int error; /* X509_V_ERR_ */
};

static int
is_critical(const X509 *cert, int nid)
{
	int at = X509_get_ext_by_NID(cert, nid, -1);

	return at >= 0 && X509_EXTENSION_get_critical(X509_get_ext(cert, at));
}

/* The first defect only: whoever reissues a CA reissues all of it. */
static const struct defect *
find_defect(X509 *cert)
{
	static const struct defect no_usage = {
		"has no keyUsage", X509_V_ERR_CA_CERT_MISSING_KEY_USAGE};
	static const struct defect no_sign = {
		"has a keyUsage without keyCertSign", X509_V_ERR_INVALID_CA};
	static const struct defect not_critical = {
		"has a basicConstraints that is not critical",
		X509_V_ERR_CA_BCONS_NOT_CRITICAL};
	static const struct defect no_skid = {"has no subjectKeyIdentifier",
		X509_V_ERR_MISSING_SUBJECT_KEY_IDENTIFIER};
	uint32_t flags = X509_get_extension_flags(cert);

	if ((flags & EXFLAG_KUSAGE) == 0)
		return &no_usage;
	if ((X509_get_key_usage(cert) & KU_KEY_CERT_SIGN) == 0)
		return &no_sign;
	if (!is_critical(cert, NID_basic_constraints))
		return &not_critical;
	if (X509_get0_subject_key_id(cert) == NULL)
		return &no_skid;
	return NULL;
}

static void
check_ca(const struct tls_load *load, const struct tls_item *item, int depth,
	X509 *cert)
{
	uint32_t flags = X509_get_extension_flags(cert);
	const struct defect *defect;
	char name[TLS_LOAD_NAME_SIZE];

	tls_load_check_dates(load, item, depth, cert);
	tls_name_short(cert, name, sizeof name);
	if ((flags & EXFLAG_CA) == 0) {
		(void)tls_load_say(load, item, REPORT_WARNING,
			" certificate %d (%s) is no CA (basicConstraints "
			"CA:TRUE is missing): it admits its own holder only",
			depth + 1, name);
		return;
	}
	defect = find_defect(cert);
	if (defect != NULL)
		(void)tls_load_say(load, item, REPORT_WARNING,
			" certificate %d (%s) %s; with strict verification\n"
			"every client will be refused (\"%s\"); reissue the CA",
			depth + 1, name, defect->text,
			X509_verify_cert_error_string(defect->error));
}

static int
add_ca(const struct tls_load *load, const struct tls_item *item, X509 *cert,
	SSL_CTX *ssl_ctx)
{
	char reason[ERROR_TEXT_MAX / 2];

	if (X509_STORE_add_cert(SSL_CTX_get_cert_store(ssl_ctx), cert) == 1 &&
		SSL_CTX_add_client_CA(ssl_ctx, cert) == 1)
		return 0;
	return tls_load_say(load, item, REPORT_ERROR, " cannot be used: %s",
		tls_error_queue_text(reason, sizeof reason));
}

static int
load_file(const struct tls_load *load, const struct tls_item *item,
	SSL_CTX *ssl_ctx)
{
	STACK_OF(X509) *certs = tls_load_certs(load, item);
	int status = 0;

	if (certs == NULL)
		return -1;
	for (int i = 0; i < sk_X509_num(certs); i++) {
		X509 *cert = sk_X509_value(certs, i);

		check_ca(load, item, i, cert);
		if (add_ca(load, item, cert, ssl_ctx) < 0)
			status = -1;
	}
	sk_X509_pop_free(certs, X509_free);
	return status;
}

int
tls_ca_load(struct ssl_ctx_st *ssl_ctx,
	const struct listener_settings *listener, struct file_source *files,
	struct report *report)
{
	const struct tls_load load = {listener, files, report};
	int status = 0;

	for (size_t i = 0; i < listener->tls.cafile.n; i++) {
		const struct tls_item item = {
			"cafile", i, listener->tls.cafile.items[i]};

		if (load_file(&load, &item, ssl_ctx) < 0)
			status = -1;
	}
	return status;
}
