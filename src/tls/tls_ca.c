/* Trust anchors of a listener, and what strict verification will dislike. */
#include "tls/tls_ca.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/error.h"
#include "conf/hash_link.h"
#include "conf/settings.h"
#include "tls/tls_error.h"
#include "tls/tls_load.h"
#include "tls/tls_name.h"
#include "tls/tls_weak.h"

/* What is wrong with a CA, and OpenSSL's code for it. */
struct defect {
	const char *text;
	int error;     /* X509_V_ERR_ */
	bool strictly; /* only X509_V_FLAG_X509_STRICT minds */
};

/* Where the certificates go. */
struct anchors {
	SSL_CTX *ssl_ctx;
	bool named; /* to clients, in the CertificateRequest */
};

static bool
is_critical(const X509 *cert, int nid)
{
	int at = X509_get_ext_by_NID(cert, nid, -1);

	return at >= 0 && X509_EXTENSION_get_critical(X509_get_ext(cert, at));
}

/* The first defect only: whoever reissues a CA reissues all of it. */
static const struct defect *
find_defect(X509 *cert)
{
	static const struct defect no_sign = {
		"has a keyUsage without keyCertSign", X509_V_ERR_INVALID_CA,
		false};
	static const struct defect no_usage = {
		"has no keyUsage", X509_V_ERR_CA_CERT_MISSING_KEY_USAGE, true};
	static const struct defect not_critical = {
		"has a basicConstraints that is not critical",
		X509_V_ERR_CA_BCONS_NOT_CRITICAL, true};
	static const struct defect no_skid = {"has no subjectKeyIdentifier",
		X509_V_ERR_MISSING_SUBJECT_KEY_IDENTIFIER, true};
	bool has_usage = (X509_get_extension_flags(cert) & EXFLAG_KUSAGE) != 0;

	if (has_usage && (X509_get_key_usage(cert) & KU_KEY_CERT_SIGN) == 0)
		return &no_sign;
	if (!has_usage)
		return &no_usage;
	if (!is_critical(cert, NID_basic_constraints))
		return &not_critical;
	if (X509_get0_subject_key_id(cert) == NULL)
		return &no_skid;
	return NULL;
}

static void
say_defect(const struct tls_load *load, const struct tls_item *item, int n,
	X509 *cert, const struct defect *defect)
{
	const char *reason = X509_verify_cert_error_string(defect->error);
	char name[TLS_LOAD_NAME_SIZE];

	tls_name_short(cert, name, sizeof name);
	if (defect->strictly)
		(void)tls_load_say(load, item, REPORT_WARNING,
			" certificate %d (%s) %s; with verify_flags "
			"x509_strict\nevery client will be refused (\"%s\"); "
			"reissue the CA or set verify_flags = -x509_strict",
			n, name, defect->text, reason);
	else
		(void)tls_load_say(load, item, REPORT_WARNING,
			" certificate %d (%s) %s\nevery client will be refused "
			"(\"%s\"); reissue the CA",
			n, name, defect->text, reason);
}

/* N counts from 1, as people do. */
static void
check_ca(const struct tls_load *load, const struct tls_item *item, int n,
	X509 *cert)
{
	uint64_t flags = load->listener->tls.verify_flags;
	const struct defect *defect;
	char name[TLS_LOAD_NAME_SIZE];

	tls_load_check_dates(load, item, n - 1, cert);
	tls_weak_check_key(load, item, n - 1, cert);
	if ((X509_get_extension_flags(cert) & EXFLAG_CA) == 0) {
		tls_name_short(cert, name, sizeof name);
		(void)tls_load_say(load, item, REPORT_WARNING,
			" certificate %d (%s) is no CA (basicConstraints "
			"CA:TRUE is missing): it admits its own holder only",
			n, name);
		return;
	}
	defect = find_defect(cert);
	if (defect == NULL ||
		(defect->strictly && (flags & TLS_VERIFY_X509_STRICT) == 0))
		return;
	say_defect(load, item, n, cert, defect);
}

static int
add_ca(const struct tls_load *load, const struct tls_item *item, X509 *cert,
	const struct anchors *to)
{
	X509_STORE *store = SSL_CTX_get_cert_store(to->ssl_ctx);
	char reason[ERROR_TEXT_MAX / 2];

	if (X509_STORE_add_cert(store, cert) == 1 &&
		(!to->named || SSL_CTX_add_client_CA(to->ssl_ctx, cert) == 1))
		return 0;
	return tls_load_say(load, item, REPORT_ERROR, " cannot be used: %s",
		tls_error_queue_text(reason, sizeof reason));
}

/* Frees CERTS, which may be NULL for a failure that was reported. */
static int
add_certs(const struct tls_load *load, const struct tls_item *item,
	STACK_OF(X509) * certs, const struct anchors *to)
{
	int status = 0;

	if (certs == NULL)
		return -1;
	for (int i = 0; i < sk_X509_num(certs); i++) {
		X509 *cert = sk_X509_value(certs, i);

		check_ca(load, item, i + 1, cert);
		if (add_ca(load, item, cert, to) < 0)
			status = -1;
	}
	sk_X509_pop_free(certs, X509_free);
	return status;
}

static int
load_files(const struct tls_load *load, const struct anchors *to)
{
	const struct text_list *paths = &load->listener->tls.cafile;
	int status = 0;

	for (size_t i = 0; i < paths->n; i++) {
		const struct tls_item item = {"cafile", i, paths->items[i]};

		if (add_certs(load, &item, tls_load_certs(load, &item), to) < 0)
			status = -1;
	}
	return status;
}

static int
load_data(const struct tls_load *load, const struct anchors *to)
{
	const struct tls_item item = {"cadata", 0, NULL};
	const char *text = load->listener->tls.cadata;
	struct tls_pem pem;

	if (text == NULL)
		return 0;
	pem = (struct tls_pem){text, strlen(text)};
	return add_certs(
		load, &item, tls_load_parse_certs(load, &item, &pem), to);
}

/* All of them at once, where OpenSSL would look for them one by one during
 * handshakes: a worker has no files. */
static int
load_links(const struct tls_load *load, const struct text_list *names,
	const struct anchors *to)
{
	const struct tls_item dir = {"capath", 0, load->listener->tls.capath};
	int status = 0;
	size_t n = 0;

	for (size_t i = 0; i < names->n; i++) {
		struct tls_item item = {"capath", 0, NULL};
		char *path;

		if (hash_link_of(names->items[i]) != HASH_LINK_CERT)
			continue;
		path = settings_hash_link(dir.path, names->items[i]);
		item.path = path;
		if (add_certs(load, &item, tls_load_certs(load, &item), to) < 0)
			status = -1;
		free(path);
		n++;
	}
	if (n == 0)
		return tls_load_say(load, &dir, REPORT_ERROR,
			" holds no hash links (\"9d66eef0.0\") to "
			"certificates; run \"openssl rehash %s\"",
			dir.path);
	return status;
}

static int
load_dir(const struct tls_load *load, const struct anchors *to)
{
	const struct tls_item item = {"capath", 0, load->listener->tls.capath};
	const struct text_list *names;
	struct error err;

	if (item.path == NULL)
		return 0;
	if (file_source_read_dir(load->files, item.path, &names, &err) < 0)
		return tls_load_say(
			load, &item, REPORT_ERROR, ": %s", err.text);
	return load_links(load, names, to);
}

/* Nobody here can mend what is wrong with one of these: no check_ca(). */
static int
load_defaults(const struct tls_load *load, const struct anchors *to)
{
	const struct tls_item item = {"load_default_certs", 0, NULL};
	STACK_OF(X509) * certs;
	struct tls_pem pem;
	struct error err;
	int status = 0;

	if (!load->listener->tls.load_default_certs)
		return 0;
	if (file_source_read(load->files, settings_default_cafile(),
		    FILE_PUBLIC, &pem.bytes, &pem.len, &err) < 0)
		return tls_load_say(
			load, &item, REPORT_ERROR, ": %s", err.text);
	certs = tls_load_parse_certs(load, &item, &pem);
	if (certs == NULL)
		return -1;
	for (int i = 0; i < sk_X509_num(certs); i++) {
		if (add_ca(load, &item, sk_X509_value(certs, i), to) < 0)
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
	/* The names of all public CAs are 16 KB that clients have no use for,
	 * and a list without them would hide theirs. */
	const struct anchors to = {
		ssl_ctx, listener->tls.send_ca_names &&
				 !listener->tls.load_default_certs};
	int status = load_files(&load, &to);

	if (load_data(&load, &to) < 0)
		status = -1;
	if (load_dir(&load, &to) < 0)
		status = -1;
	if (load_defaults(&load, &to) < 0)
		status = -1;
	return status;
}
