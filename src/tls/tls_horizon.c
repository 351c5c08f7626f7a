/* When time alone would change a context. */
#include "tls/tls_horizon.h"

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "tls/tls_crl.h"
#include "tls/tls_load.h"
#include "tls/tls_time.h"

struct horizon {
	int64_t now_s;
	int64_t end_s;
};

static void
change_at(struct horizon *it, int64_t when_s)
{
	if (when_s > it->now_s && when_s < it->end_s)
		it->end_s = when_s;
}

static void
add_cert(struct horizon *it, const X509 *cert)
{
	int64_t until_s = tls_time_unix(X509_get0_notAfter(cert));

	change_at(it, tls_time_unix(X509_get0_notBefore(cert)));
	change_at(it, until_s - TLS_LOAD_SOON_S);
	change_at(it, until_s);
}

static void
add_crl(struct horizon *it, const X509_CRL *crl)
{
	const ASN1_TIME *next = X509_CRL_get0_nextUpdate(crl);
	int64_t from_s = tls_time_unix(X509_CRL_get0_lastUpdate(crl));
	int64_t until_s;

	change_at(it, from_s);
	if (next == NULL)
		return;
	until_s = tls_time_unix(next);
	/* The later of the two: the sooner costs no more than a context. */
	change_at(it, until_s - TLS_CRL_SOON_S);
	change_at(it, until_s - (until_s - from_s) / 4);
	change_at(it, until_s);
}

static void
add_own(struct horizon *it, SSL_CTX *ssl_ctx)
{
	long which = SSL_CERT_SET_FIRST;
	STACK_OF(X509) * chain;

	for (; SSL_CTX_set_current_cert(ssl_ctx, which) == 1;
		which = SSL_CERT_SET_NEXT) {
		add_cert(it, SSL_CTX_get0_certificate(ssl_ctx));
		if (SSL_CTX_get0_chain_certs(ssl_ctx, &chain) != 1)
			continue;
		for (int i = 0; i < sk_X509_num(chain); i++)
			add_cert(it, sk_X509_value(chain, i));
	}
}

static void
add_store(struct horizon *it, const X509_STORE *store)
{
	const STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(store);

	for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
		const X509_OBJECT *object = sk_X509_OBJECT_value(objects, i);

		if (X509_OBJECT_get0_X509(object) != NULL)
			add_cert(it, X509_OBJECT_get0_X509(object));
		if (X509_OBJECT_get0_X509_CRL(object) != NULL)
			add_crl(it, X509_OBJECT_get0_X509_CRL(object));
	}
}

int64_t
tls_horizon(struct ssl_ctx_st *ssl_ctx, int64_t now_s)
{
	struct horizon it = {now_s, INT64_MAX};

	add_own(&it, ssl_ctx);
	add_store(&it, SSL_CTX_get_cert_store(ssl_ctx));
	return it.end_s;
}
