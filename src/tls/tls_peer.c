/* What a client certificate says of its holder. */
#include "tls/tls_peer.h"

#include <arpa/inet.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "authz/identity.h"
#include "tls/tls_name.h"

static char *
hex_text(const unsigned char *bytes, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	char *text = malloc(len * 2 + 1);

	if (text == NULL)
		return NULL;
	for (size_t i = 0; i < len; i++) {
		text[2 * i] = hex[bytes[i] >> 4];
		text[2 * i + 1] = hex[bytes[i] & 15];
	}
	text[2 * len] = '\0';
	return text;
}

static char *
serial_text(const X509 *cert)
{
	BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL);
	char *digits;
	char *text;

	if (number == NULL)
		return NULL;
	digits = BN_bn2hex(number);
	BN_free(number);
	if (digits == NULL)
		return NULL;
	for (char *at = digits; *at != '\0'; at++) {
		if (*at >= 'A' && *at <= 'F')
			*at = (char)(*at - 'A' + 'a');
	}
	/* OpenSSL's memory may not be libc's. */
	text = strdup(digits);
	OPENSSL_free(digits);
	return text;
}

static char *
sha256_text(const X509 *cert)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (X509_digest(cert, EVP_sha256(), digest, &len) != 1)
		return NULL;
	return hex_text(digest, len);
}

/*
 * Like text_list_add(), but survives a lack of memory: how many names there
 * are is up to the peer. Room is doubled at powers of two.
 */
static int
add_name(struct text_list *list, const char *text, size_t len)
{
	char *copy = strndup(text, len);

	if (copy == NULL)
		return -1;
	if ((list->n & (list->n - 1)) == 0) {
		size_t room = list->n == 0 ? 1 : list->n * 2;
		char **items =
			reallocarray(list->items, room, sizeof list->items[0]);

		if (items == NULL) {
			free(copy);
			return -1;
		}
		list->items = items;
	}
	list->items[list->n++] = copy;
	return 0;
}

/* IA5String says ASCII, but nobody checked; a name holds no control bytes. */
static bool
is_plain(const unsigned char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] < 0x20 || bytes[i] > 0x7e)
			return false;
	}
	return len > 0;
}

static int
add_text_name(struct identity *identity, struct text_list *list,
	const ASN1_STRING *value)
{
	const unsigned char *bytes = ASN1_STRING_get0_data(value);
	size_t len = (size_t)ASN1_STRING_length(value);

	if (!is_plain(bytes, len)) {
		identity->n_bad_names++;
		return 0;
	}
	return add_name(list, (const char *)bytes, len);
}

static int
add_ip_name(struct identity *identity, const ASN1_STRING *value)
{
	char text[INET6_ADDRSTRLEN];
	int len = ASN1_STRING_length(value);
	int family = len == 4 ? AF_INET : AF_INET6;

	if ((len != 4 && len != 16) ||
		inet_ntop(family, ASN1_STRING_get0_data(value), text,
			sizeof text) == NULL) {
		identity->n_bad_names++;
		return 0;
	}
	return add_name(&identity->ip, text, strlen(text));
}

static int
add_general_name(struct identity *identity, const GENERAL_NAME *name)
{
	int type = -1;
	const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);

	switch (type) {
	case GEN_DNS:
		return add_text_name(identity, &identity->dns, value);
	case GEN_URI:
		return add_text_name(identity, &identity->uri, value);
	case GEN_EMAIL:
		return add_text_name(identity, &identity->email, value);
	case GEN_IPADD:
		return add_ip_name(identity, value);
	default:
		return 0; /* directory and other names: nobody asks for them */
	}
}

static int
add_names(struct identity *identity, const X509 *cert)
{
	int critical = -1; /* -1: there is none; -2: there are two */
	GENERAL_NAMES *names =
		X509_get_ext_d2i(cert, NID_subject_alt_name, &critical, NULL);
	int status = 0;

	if (names == NULL) {
		identity->n_bad_names += critical != -1;
		return 0;
	}
	for (int i = 0; status == 0 && i < sk_GENERAL_NAME_num(names); i++)
		status = add_general_name(
			identity, sk_GENERAL_NAME_value(names, i));
	GENERAL_NAMES_free(names);
	return status;
}

struct identity *
tls_peer_identity_of(struct x509_st *cert)
{
	struct identity *identity = calloc(1, sizeof *identity);

	if (identity == NULL)
		return NULL;
	/* What is odd about a certificate must not look like a failure of
	 * the next SSL call. */
	(void)ERR_set_mark();
	identity->subject = tls_name_text(X509_get_subject_name(cert));
	identity->issuer = tls_name_text(X509_get_issuer_name(cert));
	identity->serial = serial_text(cert);
	identity->sha256 = sha256_text(cert);
	if (identity->subject == NULL || identity->issuer == NULL ||
		identity->serial == NULL || identity->sha256 == NULL ||
		add_names(identity, cert) < 0)
		identity_free(&identity);
	(void)ERR_pop_to_mark();
	return identity;
}

struct identity *
tls_peer_identity(struct ssl_st *ssl)
{
	X509 *cert = SSL_get0_peer_certificate(ssl);

	/* An unverified name is no name, whoever set up the verification. */
	if (cert == NULL || SSL_get_verify_result(ssl) != X509_V_OK)
		return NULL;
	return tls_peer_identity_of(cert);
}
