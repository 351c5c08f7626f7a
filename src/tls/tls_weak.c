/* Keys and signatures that are too weak to rely on. */
#include "tls/tls_weak.h"

#include <stddef.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

#include "tls/tls_key.h"
#include "tls/tls_load.h"
#include "tls/tls_name.h"

/* NIST SP 800-57 part 1, table 4: what is acceptable today. */
#define ENOUGH_KEY_BITS 112

/* Half the length of SHA-224; OpenSSL counts SHA-1 as 63, MD5 as 39. */
#define ENOUGH_DIGEST_BITS 112

void
tls_weak_check_key(const struct tls_load *load, const struct tls_item *item,
	int depth, struct x509_st *cert)
{
	const EVP_PKEY *key = X509_get0_pubkey(cert);
	char name[TLS_LOAD_NAME_SIZE];
	char kind[64];

	ERR_clear_error();
	if (key == NULL || EVP_PKEY_get_security_bits(key) >= ENOUGH_KEY_BITS)
		return;
	tls_key_kind(key, kind, sizeof kind);
	tls_name_short(cert, name, sizeof name);
	(void)tls_load_say(load, item, REPORT_WARNING,
		" certificate %d (%s) has a weak key, %s: use RSA 2048, "
		"EC P-256 or better",
		depth + 1, name, kind);
}

static void
check_signature(const struct tls_load *load, const struct tls_item *item,
	int depth, X509 *cert)
{
	char name[TLS_LOAD_NAME_SIZE];
	int digest = NID_undef;
	int bits = 0;

	/* Nobody verifies what a root says of itself. */
	if (X509_self_signed(cert, 0) == 1 ||
		X509_get_signature_info(cert, &digest, NULL, &bits, NULL) != 1)
		return;
	if (bits >= ENOUGH_DIGEST_BITS)
		return;
	tls_name_short(cert, name, sizeof name);
	(void)tls_load_say(load, item, REPORT_WARNING,
		" certificate %d (%s) is signed with %s, which can be "
		"forged: have it reissued with SHA-256 or better",
		depth + 1, name,
		digest == NID_undef ? "a weak digest" : OBJ_nid2sn(digest));
}

void
tls_weak_check(const struct tls_load *load, const struct tls_item *item,
	int depth, struct x509_st *cert)
{
	tls_weak_check_key(load, item, depth, cert);
	check_signature(load, item, depth, cert);
	ERR_clear_error();
}
