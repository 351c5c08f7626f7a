/* Any bytes that OpenSSL takes for a certificate, as a client's. */
#include "config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509.h>

#include "authz/identity.h"
#include "base/text.h"
#include "fuzz.h"
#include "tls/tls_peer.h"

/* The names of a subjectAltName are plain text, whatever was there. */
static void
check_names(const struct text_list *names)
{
	for (size_t i = 0; i < names->n; i++) {
		const char *at = names->items[i];

		assert(*at != '\0');
		while (*at >= ' ' && *at <= '~')
			at++;
		assert(*at == '\0');
	}
}

/* Those of a subject are UTF-8 that is not empty. */
static void
check_attributes(const struct text_list *values)
{
	for (size_t i = 0; i < values->n; i++) {
		const char *at = values->items[i];
		uint32_t code;
		size_t len;

		assert(*at != '\0');
		while ((len = text_utf8(at, &code)) > 0)
			at += len;
		assert(*at == '\0');
	}
}

static void
check_hex(const char *text)
{
	assert(text != NULL && *text != '\0');
	text += *text == '-';
	assert(text[strspn(text, "0123456789abcdef")] == '\0');
}

static void
check_identity(const struct identity *identity)
{
	check_names(&identity->dns);
	check_names(&identity->uri);
	check_names(&identity->ip);
	check_names(&identity->email);
	check_attributes(&identity->cn);
	check_attributes(&identity->ou);
	check_attributes(&identity->o);
	check_hex(identity->serial);
	check_hex(identity->sha256);
	check_hex(identity->spki_sha256);
	assert(strcmp(identity->spki_sha256, identity->issuer_spki_sha256) ==
		0);
	assert(identity->subject != NULL && identity->issuer != NULL);
	free(identity_names_text(identity, 4));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const unsigned char *at = data;
	X509 *cert = d2i_X509(NULL, &at, (long)size);
	struct identity *identity;

	ERR_clear_error();
	if (cert == NULL)
		return 0;
	identity = tls_peer_identity_with_issuer(cert, cert);
	assert(identity != NULL);
	assert(ERR_peek_error() == 0);
	check_identity(identity);
	if (tls_peer_add_twin(identity, cert, cert) == 0 &&
		identity->twin_sha256 != NULL)
		check_hex(identity->twin_sha256);
	assert(ERR_peek_error() == 0);
	identity_free(&identity);
	X509_free(cert);
	return 0;
}
