/* Files that the TLS keys of a listener name, and findings about them. */
#include "config.h"

#include "tls/tls_load.h"

#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/error.h"
#include "conf/settings.h"
#include "tls/tls_error.h"
#include "tls/tls_lean.h"
#include "tls/tls_name.h"
#include "tls/tls_parsed.h"

int
tls_load_say(const struct tls_load *load, const struct tls_item *item,
	enum report_severity severity, const char *fmt, ...)
{
	char text[ERROR_TEXT_MAX];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	if (item->path == NULL)
		settings_report(load->listener, item->key, item->index,
			severity, load->report, "%s%s", item->key, text);
	else
		settings_report(load->listener, item->key, item->index,
			severity, load->report, "%s \"%s\"%s", item->key,
			item->path, text);
	return -1;
}

int
tls_load_read(const struct tls_load *load, const struct tls_item *item,
	enum file_kind kind, const char **bytes_out, size_t *len_out)
{
	struct error err;

	if (file_source_read(load->files, item->path, kind, bytes_out, len_out,
		    &err) < 0)
		return tls_load_say(load, item, REPORT_ERROR, ": %s", err.text);
	return 0;
}

static bool
holds(const char *bytes, size_t len, const char *text)
{
	return memmem(bytes, len, text, strlen(text)) != NULL;
}

int
tls_load_say_missing(const struct tls_load *load, const struct tls_item *item,
	const char *wanted, const char *bytes, size_t len)
{
	const char *instead = "";

	if (len == 0)
		instead = ": it is empty";
	/* A DER file starts with a SEQUENCE. */
	else if (bytes[0] == 0x30 && !holds(bytes, len, "-----BEGIN "))
		instead = "; it looks like DER: convert it to PEM";
	else if (holds(bytes, len, "PRIVATE KEY-----"))
		instead = "; it holds a private key";
	else if (holds(bytes, len, "CERTIFICATE REQUEST-----"))
		instead = "; it holds a certificate request";
	else if (holds(bytes, len, "CERTIFICATE-----"))
		instead = "; it holds a certificate";
	return tls_load_say(load, item, REPORT_ERROR, " holds no %s in PEM%s",
		wanted, instead);
}

bool
tls_load_is_end_of_pem(void)
{
	unsigned long entry = ERR_peek_last_error();

	return ERR_GET_LIB(entry) == ERR_LIB_PEM &&
	       ERR_GET_REASON(entry) == PEM_R_NO_START_LINE;
}

/* CERT by all decoders of OpenSSL; NULL without memory. Inside tls_lean only.
 */
static X509 *
decode_outside(const X509 *cert)
{
	unsigned char *der = NULL;
	int len = i2d_X509(cert, &der);
	const unsigned char *at = der;
	X509 *again = NULL;

	tls_lean_end();
	if (len > 0)
		again = d2i_X509(NULL, &at, len);
	tls_lean_begin();
	OPENSSL_free(der);
	return again;
}

/* Handshakes have few decoders (tls_lean.h); there is a certificate's key that
 * they cannot read, and then OpenSSL leaves it out. */
static X509 *
next_cert(BIO *bio)
{
	X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	X509 *again;

	if (cert == NULL || !tls_lean_is_inside() ||
		X509_get0_pubkey(cert) != NULL)
		return cert;
	again = decode_outside(cert);
	if (again == NULL)
		return cert;
	X509_free(cert);
	return again;
}

/* Reads up to the end of BIO; -1 if something in between is no certificate. */
static int
read_certs(BIO *bio, STACK_OF(X509) * certs)
{
	X509 *cert;

	ERR_clear_error();
	while ((cert = next_cert(bio)) != NULL) {
		if (sk_X509_push(certs, cert) == 0) {
			X509_free(cert);
			return -1;
		}
	}
	if (!tls_load_is_end_of_pem())
		return -1;
	ERR_clear_error();
	return 0;
}

struct stack_st_X509 *
tls_load_parse_certs(const struct tls_load *load, const struct tls_item *item,
	const struct tls_pem *pem)
{
	STACK_OF(X509) *certs = sk_X509_new_null();
	BIO *bio = BIO_new_mem_buf(pem->bytes, (int)pem->len);
	char reason[ERROR_TEXT_MAX / 2];

	if (certs == NULL || bio == NULL)
		goto fail;
	if (read_certs(bio, certs) < 0) {
		(void)tls_load_say(load, item, REPORT_ERROR,
			": certificate %d cannot be read: %s",
			sk_X509_num(certs) + 1,
			tls_error_queue_text(reason, sizeof reason));
		goto fail;
	}
	if (sk_X509_num(certs) == 0) {
		(void)tls_load_say_missing(
			load, item, "certificate", pem->bytes, pem->len);
		goto fail;
	}
	BIO_free(bio);
	return certs;

fail:
	BIO_free(bio);
	sk_X509_pop_free(certs, X509_free);
	return NULL;
}

struct stack_st_X509 *
tls_load_certs(const struct tls_load *load, const struct tls_item *item)
{
	STACK_OF(X509) * certs;
	struct tls_pem pem;

	if (tls_load_read(load, item, FILE_PUBLIC, &pem.bytes, &pem.len) < 0)
		return NULL;
	certs = tls_parsed_certs(pem.bytes);
	if (certs != NULL)
		return certs;
	certs = tls_load_parse_certs(load, item, &pem);
	if (certs != NULL)
		tls_parsed_add_certs(pem.bytes, certs);
	return certs;
}

void
tls_load_format_time(
	const struct asn1_string_st *time, char *out, size_t out_size)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(time, &tm) != 1 ||
		strftime(out, out_size, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		(void)snprintf(out, out_size, "an unreadable time");
}

void
tls_load_check_dates(const struct tls_load *load, const struct tls_item *item,
	int depth, const struct x509_st *cert)
{
	const ASN1_TIME *from = X509_get0_notBefore(cert);
	const ASN1_TIME *until = X509_get0_notAfter(cert);
	time_t soon = time(NULL) + TLS_LOAD_SOON_S;
	char name[TLS_LOAD_NAME_SIZE];
	char when[32];

	tls_name_short(cert, name, sizeof name);
	tls_load_format_time(until, when, sizeof when);
	if (X509_cmp_current_time(until) <= 0)
		(void)tls_load_say(load, item, REPORT_WARNING,
			" certificate %d (%s) has expired: it was valid until "
			"%s",
			depth + 1, name, when);
	else if (X509_cmp_time(until, &soon) <= 0)
		(void)tls_load_say(load, item, REPORT_WARNING,
			" certificate %d (%s) expires soon: it is valid until "
			"%s",
			depth + 1, name, when);
	if (X509_cmp_current_time(from) <= 0)
		return;
	tls_load_format_time(from, when, sizeof when);
	(void)tls_load_say(load, item, REPORT_WARNING,
		" certificate %d (%s) is not yet valid: it will be from %s",
		depth + 1, name, when);
}
