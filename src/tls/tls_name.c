/* Names of certificates as text. */
#include "tls/tls_name.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509.h>

/* RFC 4514 in UTF-8: OpenSSL's RFC 2253 set would escape all of it. */
#define NAME_FLAGS                                                             \
	((unsigned long)XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB)

/* For strings that are not what their type says: bytes, all escaped. */
#define RAW_FLAGS                                                              \
	(((unsigned long)XN_FLAG_RFC2253 &                                     \
		 ~(unsigned long)ASN1_STRFLGS_UTF8_CONVERT) |                  \
		ASN1_STRFLGS_IGNORE_TYPE)

static bool
is_broken(const ASN1_STRING *value)
{
	unsigned char *utf8 = NULL;
	int type = ASN1_STRING_type(value);
	int len;

	if (type != V_ASN1_UTF8STRING && type != V_ASN1_BMPSTRING &&
		type != V_ASN1_UNIVERSALSTRING)
		return false;
	len = ASN1_STRING_to_UTF8(&utf8, value);
	OPENSSL_free(utf8);
	return len < 0;
}

/*
 * X509_NAME_print_ex() copies malformed UTF-8 as it is and silently drops
 * what has no UTF-8 form (surrogates), so that two names could print alike.
 */
static bool
has_broken_value(const X509_NAME *name)
{
	for (int i = 0; i < X509_NAME_entry_count(name); i++) {
		const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);

		if (is_broken(X509_NAME_ENTRY_get_data(entry)))
			return true;
	}
	return false;
}

static BIO *
print(const X509_NAME *name, unsigned long flags)
{
	BIO *bio = BIO_new(BIO_s_mem());

	if (bio == NULL)
		return NULL;
	/* An empty name prints nothing, and that is no failure. */
	if (X509_NAME_entry_count(name) > 0 &&
		X509_NAME_print_ex(bio, name, 0, flags) < 0) {
		BIO_free(bio);
		return NULL;
	}
	return bio;
}

/* U+0080 to U+009F are control characters that some terminals obey. */
static bool
is_c1_control(const unsigned char *bytes, size_t left)
{
	return left >= 2 && bytes[0] == 0xc2 && bytes[1] >= 0x80 &&
	       bytes[1] <= 0x9f;
}

static char *
copy_printable(const unsigned char *bytes, size_t len)
{
	static const char hex[] = "0123456789ABCDEF";
	char *text;
	size_t n = 0;

	if (len >= SIZE_MAX / 3)
		return NULL;
	text = malloc(len * 3 + 1);
	if (text == NULL)
		return NULL;
	for (size_t i = 0; i < len; i++) {
		if (!is_c1_control(bytes + i, len - i)) {
			text[n++] = (char)bytes[i];
			continue;
		}
		memcpy(text + n, "\\C2\\", 4);
		i++;
		text[n + 4] = hex[bytes[i] >> 4];
		text[n + 5] = hex[bytes[i] & 15];
		n += 6;
	}
	text[n] = '\0';
	return text;
}

char *
tls_name_text(const struct X509_name_st *name)
{
	BIO *bio = NULL;
	char *bytes = NULL;
	char *text;
	long len;

	(void)ERR_set_mark();
	if (!has_broken_value(name))
		bio = print(name, NAME_FLAGS);
	if (bio == NULL)
		bio = print(name, RAW_FLAGS);
	(void)ERR_pop_to_mark();
	if (bio == NULL)
		return NULL;
	len = BIO_get_mem_data(bio, &bytes);
	text = copy_printable(
		(const unsigned char *)bytes, len > 0 ? (size_t)len : 0);
	BIO_free(bio);
	return text;
}

/* Where TEXT can be cut at or before MAX without breaking a character or an
 * escape. */
static size_t
cut_place(const char *text, size_t max)
{
	size_t at = max;

	while (at > 0 && ((unsigned char)text[at] & 0xc0) == 0x80)
		at--;
	for (size_t back = 1; back <= 2 && back <= at; back++) {
		if (text[at - back] == '\\')
			return at - back;
	}
	return at;
}

static void
copy_cut(const char *text, char *out, size_t size)
{
	size_t len = strlen(text);

	if (len < size) {
		memcpy(out, text, len + 1);
		return;
	}
	len = cut_place(text, size - 4);
	memcpy(out, text, len);
	memcpy(out + len, "...", 4);
}

void
tls_name_cut(const struct X509_name_st *name, char *out, size_t size)
{
	char *text = tls_name_text(name);

	copy_cut(text != NULL ? text : "", out, size);
	free(text);
}

/* Only the last common name of SUBJECT, as a name of its own. */
static X509_NAME *
common_name(const X509_NAME *subject)
{
	const X509_NAME_ENTRY *entry;
	X509_NAME *name;
	int at = -1;

	for (int next = at; (next = X509_NAME_get_index_by_NID(
				     subject, NID_commonName, next)) >= 0;)
		at = next;
	if (at < 0)
		return NULL;
	name = X509_NAME_new();
	entry = X509_NAME_get_entry(subject, at);
	if (name == NULL || X509_NAME_add_entry(name, entry, -1, 0) != 1) {
		X509_NAME_free(name);
		return NULL;
	}
	return name;
}

void
tls_name_short(const struct x509_st *cert, char *out, size_t size)
{
	const X509_NAME *subject = X509_get_subject_name(cert);
	X509_NAME *name = common_name(subject);

	if (X509_NAME_entry_count(subject) == 0)
		copy_cut("no subject", out, size);
	else
		tls_name_cut(name != NULL ? name : subject, out, size);
	X509_NAME_free(name);
}
