/* What the CAs of clients have revoked. */
#include "tls/tls_crl.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/error.h"
#include "conf/hash_link.h"
#include "conf/settings.h"
#include "tls/tls_error.h"
#include "tls/tls_load.h"
#include "tls/tls_name.h"
#include "tls/tls_time.h"

/* INT64_MAX for a CRL that does not say. */
static int64_t
next_update(const X509_CRL *crl)
{
	const ASN1_TIME *time = X509_CRL_get0_nextUpdate(crl);

	return time != NULL ? tls_time_unix(time) : INT64_MAX;
}

static void
name_issuer(const X509_CRL *crl, char out[TLS_LOAD_NAME_SIZE])
{
	tls_name_cut(X509_CRL_get_issuer(crl), out, TLS_LOAD_NAME_SIZE);
}

/* ---- findings about one CRL ---- */

static void
check_dates(const struct tls_load *load, const struct tls_item *item, int n,
	const X509_CRL *crl)
{
	int64_t now = (int64_t)time(NULL);
	int64_t from = tls_time_unix(X509_CRL_get0_lastUpdate(crl));
	int64_t until = next_update(crl);
	char name[TLS_LOAD_NAME_SIZE];
	char when[32];

	name_issuer(crl, name);
	if (from > now) {
		tls_load_format_time(
			X509_CRL_get0_lastUpdate(crl), when, sizeof when);
		(void)tls_load_say(load, item, REPORT_WARNING,
			" CRL %d (of %s) is not yet valid: it will be from %s",
			n, name, when);
	}
	if (until == INT64_MAX)
		return;
	tls_load_format_time(X509_CRL_get0_nextUpdate(crl), when, sizeof when);
	if (until <= now)
		(void)tls_load_say(load, item, REPORT_WARNING,
			" CRL %d (of %s) has expired: the next one was due at "
			"%s\nwith crl_check every client of that CA will be "
			"refused",
			n, name, when);
	else if (until - now < TLS_CRL_SOON_S &&
		 until - now < (until - from) / 4)
		(void)tls_load_say(load, item, REPORT_WARNING,
			" CRL %d (of %s) expires soon: the next one is due at "
			"%s",
			n, name, when);
}

static bool
has_signed(X509 *ca, X509_CRL *crl)
{
	bool ok = X509_NAME_cmp(X509_get_subject_name(ca),
			  X509_CRL_get_issuer(crl)) == 0 &&
		  X509_CRL_verify(crl, X509_get0_pubkey(ca)) == 1;

	ERR_clear_error();
	return ok;
}

static void
check_signer(const struct tls_load *load, const struct tls_item *item, int n,
	X509_CRL *crl, X509_STORE *store)
{
	STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(store);
	char name[TLS_LOAD_NAME_SIZE];

	for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
		X509 *ca =
			X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));

		if (ca != NULL && has_signed(ca, crl))
			return;
	}
	name_issuer(crl, name);
	(void)tls_load_say(load, item, REPORT_WARNING,
		" CRL %d (of %s) was signed by none of the CAs here", n, name);
}

/* ---- loading ---- */

static int
add_crl(const struct tls_load *load, const struct tls_item *item, int n,
	X509_CRL *crl, X509_STORE *store)
{
	char reason[ERROR_TEXT_MAX / 2];

	check_dates(load, item, n, crl);
	check_signer(load, item, n, crl, store);
	if (X509_STORE_add_crl(store, crl) == 1)
		return 0;
	return tls_load_say(load, item, REPORT_ERROR,
		": CRL %d cannot be used: %s", n,
		tls_error_queue_text(reason, sizeof reason));
}

/* As many as there are in PEM. */
static int
parse_crls(const struct tls_load *load, const struct tls_item *item,
	const struct tls_pem *pem, X509_STORE *store)
{
	BIO *bio = BIO_new_mem_buf(pem->bytes, (int)pem->len);
	char reason[ERROR_TEXT_MAX / 2];
	X509_CRL *crl;
	int status = 0;
	int n = 0;

	ERR_clear_error();
	while (bio != NULL && status == 0 &&
		(crl = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL)) != NULL) {
		status = add_crl(load, item, ++n, crl, store);
		X509_CRL_free(crl);
	}
	BIO_free(bio);
	if (status < 0)
		return -1;
	if (!tls_load_is_end_of_pem())
		return tls_load_say(load, item, REPORT_ERROR,
			": CRL %d cannot be read: %s", n + 1,
			tls_error_queue_text(reason, sizeof reason));
	ERR_clear_error();
	if (n == 0)
		return tls_load_say_missing(
			load, item, "CRL", pem->bytes, pem->len);
	return 0;
}

static int
load_file(const struct tls_load *load, const struct tls_item *item,
	X509_STORE *store)
{
	struct tls_pem pem;

	if (tls_load_read(load, item, FILE_PUBLIC, &pem.bytes, &pem.len) < 0)
		return -1;
	return parse_crls(load, item, &pem, store);
}

/* Those that are called "9d66eef0.r0" there. */
static int
load_capath(const struct tls_load *load, X509_STORE *store)
{
	const char *capath = load->listener->tls.capath;
	const struct text_list *names;
	int status = 0;

	/* What cannot be read was reported with the CAs in it. */
	if (capath == NULL ||
		file_source_read_dir(load->files, capath, &names, NULL) < 0)
		return 0;
	for (size_t i = 0; i < names->n; i++) {
		char *path = settings_hash_link(capath, names->items[i]);
		const struct tls_item item = {"capath", 0, path};

		if (path != NULL && strstr(names->items[i], ".r") != NULL &&
			load_file(load, &item, store) < 0)
			status = -1;
		free(path);
	}
	return status;
}

/* ---- what all of them leave open ---- */

/* Until when the CRLs of ISSUER reach; 0 if there are none. */
static int64_t
end_of_issuer(STACK_OF(X509_OBJECT) * objects, const X509_NAME *issuer)
{
	int64_t end = 0;

	for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
		const X509_CRL *crl = X509_OBJECT_get0_X509_CRL(
			sk_X509_OBJECT_value(objects, i));

		if (crl != NULL &&
			X509_NAME_cmp(X509_CRL_get_issuer(crl), issuer) == 0 &&
			next_update(crl) > end)
			end = next_update(crl);
	}
	return end;
}

static int64_t
first_end(STACK_OF(X509_OBJECT) * objects)
{
	int64_t now = (int64_t)time(NULL);
	int64_t first = INT64_MAX;

	for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
		const X509_CRL *crl = X509_OBJECT_get0_X509_CRL(
			sk_X509_OBJECT_value(objects, i));
		int64_t end;

		if (crl == NULL)
			continue;
		end = end_of_issuer(objects, X509_CRL_get_issuer(crl));
		/* The clients of one that has expired are not let in. */
		if (end > now && end < first)
			first = end;
	}
	return first;
}

/* A CA that has signed another one may have no clients of its own. */
static bool
is_above_another(STACK_OF(X509_OBJECT) * objects, X509 *ca)
{
	for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
		X509 *other =
			X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));

		if (other != NULL && other != ca &&
			X509_check_issued(ca, other) == X509_V_OK)
			return true;
	}
	return false;
}

static void
check_cas(const struct tls_load *load, STACK_OF(X509_OBJECT) * objects)
{
	const struct listener_settings *listener = load->listener;
	char name[TLS_LOAD_NAME_SIZE];

	for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
		X509 *ca =
			X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));

		if (ca == NULL ||
			(X509_get_extension_flags(ca) & EXFLAG_CA) == 0 ||
			end_of_issuer(objects, X509_get_subject_name(ca)) > 0)
			continue;
		if (listener->tls.crl_check == CRL_CHECK_LEAF &&
			is_above_another(objects, ca))
			continue;
		tls_name_short(ca, name, sizeof name);
		settings_report(listener, "crl_check", 0, REPORT_WARNING,
			load->report,
			"crl_check: there is no CRL of CA %s\nevery client of "
			"that CA will be refused",
			name);
	}
}

int
tls_crl_load(struct ssl_ctx_st *ssl_ctx, int64_t *until_out,
	const struct listener_settings *listener, struct file_source *files,
	struct report *report)
{
	const struct tls_load load = {listener, files, report};
	const struct text_list *paths = &listener->tls.crlfile;
	X509_STORE *store = SSL_CTX_get_cert_store(ssl_ctx);
	STACK_OF(X509_OBJECT) * objects;
	int status = 0;

	*until_out = INT64_MAX;
	for (size_t i = 0; i < paths->n; i++) {
		const struct tls_item item = {"crlfile", i, paths->items[i]};

		if (load_file(&load, &item, store) < 0)
			status = -1;
	}
	if (listener->tls.crl_check == CRL_CHECK_NONE)
		return status;
	if (load_capath(&load, store) < 0)
		status = -1;
	objects = X509_STORE_get0_objects(store);
	*until_out = first_end(objects);
	/* Of public CAs nobody has all CRLs. */
	if (status == 0 && !listener->tls.load_default_certs)
		check_cas(&load, objects);
	return status;
}
