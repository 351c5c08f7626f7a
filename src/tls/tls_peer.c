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
#include "tls/tls_twin.h"

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

/*
 * Of the whole SubjectPublicKeyInfo, as pins are made. X509_pubkey_digest()
 * would leave out the algorithm.
 */
static char *
spki_text(const X509 *cert)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned char *der = NULL;
	char *text = NULL;
	unsigned digest_len = 0;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);

	if (len > 0 && EVP_Digest(der, (size_t)len, digest, &digest_len,
			       EVP_sha256(), NULL) == 1)
		text = hex_text(digest, digest_len);
	OPENSSL_free(der);
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

/*
 * Whatever its string type, as UTF-8. T61String counts as Latin-1, as in all
 * of OpenSSL. A NUL (two zero bytes in a BMPString) is found after conversion;
 * an empty value is nobody's name and nobody's fault.
 */
static int
add_attribute(struct text_list *list, const ASN1_STRING *value, size_t *n_bad)
{
	unsigned char *utf8 = NULL;
	int len = ASN1_STRING_to_UTF8(&utf8, value);
	int status = 0;

	if (len < 0 || (len > 0 && memchr(utf8, 0, (size_t)len) != NULL))
		(*n_bad)++;
	else if (len > 0)
		status = add_name(list, (const char *)utf8, (size_t)len);
	OPENSSL_free(utf8);
	return status;
}

/* Every value of attribute NID in NAME, also of RDNs that hold several. */
static int
add_attributes(
	struct text_list *list, const X509_NAME *name, int nid, size_t *n_bad)
{
	int at = -1;

	while ((at = X509_NAME_get_index_by_NID(name, nid, at)) >= 0) {
		const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, at);

		if (add_attribute(
			    list, X509_NAME_ENTRY_get_data(entry), n_bad) < 0)
			return -1;
	}
	return 0;
}

static int
add_subject(struct identity *identity, X509 *cert)
{
	const X509_NAME *subject = X509_get_subject_name(cert);
	size_t *n_bad = &identity->n_bad_names;

	identity->subject = tls_name_text(subject);
	if (identity->subject == NULL)
		return -1;
	/* No CA has vetted the name that a proxy certificate adds to that of
	 * who made it (RFC 3820, section 3.4). */
	if ((X509_get_extension_flags(cert) & EXFLAG_PROXY) != 0)
		return 0;
	if (add_attributes(&identity->cn, subject, NID_commonName, n_bad) < 0 ||
		add_attributes(&identity->ou, subject,
			NID_organizationalUnitName, n_bad) < 0 ||
		add_attributes(
			&identity->o, subject, NID_organizationName, n_bad) < 0)
		return -1;
	return 0;
}

/* An issuer goes by one name: with two, a sub-CA could add its rival's. */
static int
add_issuer(struct identity *identity, const X509 *issuer)
{
	struct text_list names = {0};
	size_t n_bad = 0;
	int status;

	if (issuer == NULL)
		return 0;
	status = add_attributes(
		&names, X509_get_subject_name(issuer), NID_commonName, &n_bad);
	if (status == 0 && names.n == 1 && n_bad == 0) {
		identity->issuer_cn = names.items[0];
		names.items[0] = NULL;
	}
	text_list_done(&names);
	identity->issuer_spki_sha256 = spki_text(issuer);
	return identity->issuer_spki_sha256 != NULL ? status : -1;
}

/* The key usage of a certificate that does not say is all of them: that alone
 * makes no CA. */
static bool
is_authority(X509 *cert)
{
	uint32_t flags = X509_get_extension_flags(cert);

	return (flags & EXFLAG_CA) != 0 ||
	       ((flags & EXFLAG_KUSAGE) != 0 &&
		       (X509_get_key_usage(cert) &
			       (KU_KEY_CERT_SIGN | KU_CRL_SIGN)) != 0);
}

static int
add_numbers(struct identity *identity, const X509 *cert)
{
	identity->serial = serial_text(cert);
	identity->sha256 = sha256_text(cert);
	identity->spki_sha256 = spki_text(cert);
	return identity->serial != NULL && identity->sha256 != NULL &&
			       identity->spki_sha256 != NULL
		       ? 0
		       : -1;
}

struct identity *
tls_peer_identity_with_issuer(struct x509_st *cert, struct x509_st *issuer)
{
	struct identity *identity = calloc(1, sizeof *identity);

	if (identity == NULL)
		return NULL;
	/* What is odd about a certificate must not look like a failure of
	 * the next SSL call. */
	(void)ERR_set_mark();
	identity->is_authority = is_authority(cert);
	identity->issuer = tls_name_text(X509_get_issuer_name(cert));
	if (identity->issuer == NULL || add_subject(identity, cert) < 0 ||
		add_numbers(identity, cert) < 0 ||
		add_issuer(identity, issuer) < 0 ||
		add_names(identity, cert) < 0)
		identity_free(&identity);
	(void)ERR_pop_to_mark();
	return identity;
}

int
tls_peer_add_twin(struct identity *identity, const struct x509_st *cert,
	struct x509_st *issuer)
{
	unsigned char digest[TLS_TWIN_SHA256_SIZE];

	switch (tls_twin_sha256(cert, issuer, digest)) {
	case TLS_TWIN_NONE:
		return 0;
	case TLS_TWIN_FAILED:
		return -1;
	case TLS_TWIN_FOUND:
		break;
	}
	identity->twin_sha256 = hex_text(digest, sizeof digest);
	return identity->twin_sha256 != NULL ? 0 : -1;
}

struct identity *
tls_peer_identity_of(struct x509_st *cert)
{
	return tls_peer_identity_with_issuer(cert, NULL);
}

struct identity *
tls_peer_identity(struct ssl_st *ssl)
{
	X509 *cert = SSL_get0_peer_certificate(ssl);
	STACK_OF(X509) *chain = SSL_get0_verified_chain(ssl);

	/* An unverified name is no name, whoever set up the verification. */
	if (cert == NULL || SSL_get_verify_result(ssl) != X509_V_OK)
		return NULL;
	/* sk_X509_value() answers NULL beyond the end, and to no chain. */
	return tls_peer_identity_with_issuer(cert, sk_X509_value(chain, 1));
}
