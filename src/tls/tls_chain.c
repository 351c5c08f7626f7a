/* Proves our own chain the way a client does. */
#include "tls/tls_chain.h"

#include <stdbool.h>
#include <stddef.h>

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "conf/settings.h"
#include "tls/tls_load.h"
#include "tls/tls_name.h"
#include "tls/tls_roots.h"
#include "tls/tls_weak.h"

#define REFUSALS_MAX 32

/* What a client would refuse a certificate for. */
struct refusal {
	const X509 *cert;
	int error; /* X509_V_ERR_ */
};

struct chain {
	const struct tls_load *load;
	const struct tls_item *item;
	STACK_OF(X509) * certs; /* of the file, the leaf first */
	X509 *top;      /* the last one of the leaf's path that is in there */
	X509 *anchor;   /* the known issuer of TOP; owned; NULL: none */
	bool is_strict; /* the pass that runs */
	struct refusal refusals[REFUSALS_MAX];
	size_t n_refusals;
};

static X509 *
find_issuer(const struct chain *chain, X509 *cert)
{
	for (int i = 0; i < sk_X509_num(chain->certs); i++) {
		X509 *other = sk_X509_value(chain->certs, i);

		if (other != cert &&
			X509_check_issued(other, cert) == X509_V_OK)
			return other;
	}
	return NULL;
}

/* In any order: what a client makes of the wrong one is its affair. */
static X509 *
find_top(const struct chain *chain)
{
	X509 *top = sk_X509_value(chain->certs, 0);

	/* Two CAs that signed each other would go on for ever. */
	for (int i = 0; i < sk_X509_num(chain->certs); i++) {
		X509 *issuer = find_issuer(chain, top);

		if (X509_self_signed(top, 0) == 1 || issuer == NULL)
			break;
		top = issuer;
	}
	return top;
}

/* Counted from 1, as in all messages; 0: not in the file. */
static int
place_of(const struct chain *chain, const X509 *cert)
{
	for (int i = 0; i < sk_X509_num(chain->certs); i++) {
		if (X509_cmp(sk_X509_value(chain->certs, i), cert) == 0)
			return i + 1;
	}
	return 0;
}

/* The issuer of TOP, which is not in the file and not self-signed either. */
static void
check_missing(const struct chain *chain, const struct tls_roots *roots)
{
	char name[TLS_LOAD_NAME_SIZE], issuer[TLS_LOAD_NAME_SIZE];
	bool is_leaf = chain->top == sk_X509_value(chain->certs, 0);
	const char *what;

	if (chain->anchor != NULL && X509_self_signed(chain->anchor, 0) == 1)
		return;
	/* An intermediate's issuer is nearly always a root, and a private one
	 * may be known to the clients only. */
	if (chain->anchor == NULL &&
		(!is_leaf || !tls_roots_are_complete(roots)))
		return;
	what = chain->anchor != NULL
		       ? "an intermediate CA that is not in the file"
		       : "which is neither in the file nor a root that is "
			 "known here";
	tls_name_short(chain->top, name, sizeof name);
	tls_name_cut(X509_get_issuer_name(chain->top), issuer, sizeof issuer);
	(void)tls_load_say(chain->load, chain->item, REPORT_WARNING,
		" certificate %d (%s) is issued by \"%s\", %s;\n"
		"clients that lack the intermediate will refuse: append it to "
		"the file",
		place_of(chain, chain->top), name, issuer, what);
}

static bool
is_known(struct chain *chain, const X509 *cert, int error)
{
	for (size_t i = 0; i < chain->n_refusals; i++) {
		if (chain->refusals[i].error == error &&
			X509_cmp(chain->refusals[i].cert, cert) == 0)
			return true;
	}
	if (chain->n_refusals == REFUSALS_MAX)
		return true;
	chain->refusals[chain->n_refusals++] =
		(struct refusal){.cert = cert, .error = error};
	return false;
}

/* tls_cert says that of a leaf without serverAuth. */
static bool
is_said_elsewhere(const struct chain *chain, X509 *cert, int error)
{
	return error == X509_V_ERR_INVALID_PURPOSE &&
	       place_of(chain, cert) == 1 &&
	       (X509_get_extended_key_usage(cert) & XKU_SSL_SERVER) == 0;
}

static void
say_refusal(const struct chain *chain, const X509 *cert, int error)
{
	const char *who = chain->is_strict
				  ? "clients that verify strictly will refuse"
				  : "clients will refuse";
	const char *why = X509_verify_cert_error_string(error);
	int place = place_of(chain, cert);
	char name[TLS_LOAD_NAME_SIZE];

	tls_name_short(cert, name, sizeof name);
	if (place > 0)
		(void)tls_load_say(chain->load, chain->item, REPORT_WARNING,
			" certificate %d (%s): %s it (\"%s\")", place, name,
			who, why);
	else
		(void)tls_load_say(chain->load, chain->item, REPORT_WARNING,
			" is issued by a CA (%s) that %s (\"%s\")", name, who,
			why);
}

/* Lets the verification go on, so that one run finds everything. */
static int
on_verify(int ok, X509_STORE_CTX *proof)
{
	struct chain *chain = X509_STORE_CTX_get_app_data(proof);
	X509 *cert = X509_STORE_CTX_get_current_cert(proof);
	int error = X509_STORE_CTX_get_error(proof);

	if (ok == 0 && cert != NULL && !is_said_elsewhere(chain, cert, error) &&
		!is_known(chain, cert, error))
		say_refusal(chain, cert, error);
	return 1;
}

/* One pass, with TOP or its issuer as all that the client knows. */
static void
verify(struct chain *chain, X509_STORE *store)
{
	X509_STORE_CTX *proof = X509_STORE_CTX_new();
	X509_VERIFY_PARAM *param;
	unsigned long flags = X509_V_FLAG_TRUSTED_FIRST |
			      X509_V_FLAG_PARTIAL_CHAIN |
			      X509_V_FLAG_NO_CHECK_TIME; /* tls_cert does */

	if (proof == NULL ||
		X509_STORE_CTX_init(proof, store,
			sk_X509_value(chain->certs, 0), chain->certs) != 1)
		goto out;
	param = X509_STORE_CTX_get0_param(proof);
	if (chain->is_strict)
		flags |= X509_V_FLAG_X509_STRICT;
	(void)X509_VERIFY_PARAM_set_flags(param, flags);
	(void)X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_SERVER);
	X509_VERIFY_PARAM_set_auth_level(param, 0); /* tls_weak does */
	X509_STORE_CTX_set_app_data(proof, chain);
	X509_STORE_CTX_set_verify_cb(proof, on_verify);
	(void)X509_verify_cert(proof);
out:
	X509_STORE_CTX_free(proof);
	ERR_clear_error();
}

static void
check_path(struct chain *chain)
{
	X509_STORE *store = X509_STORE_new();

	if (store != NULL && X509_STORE_add_cert(store,
				     chain->anchor != NULL ? chain->anchor
							   : chain->top) == 1) {
		verify(chain, store);
		chain->is_strict = true;
		verify(chain, store);
	}
	X509_STORE_free(store);
}

/* Common names stopped counting long ago (RFC 6125; RFC 9525 forbids). */
static void
check_names(const struct chain *chain)
{
	X509 *leaf = sk_X509_value(chain->certs, 0);
	char name[TLS_LOAD_NAME_SIZE];

	if (X509_get_ext_by_NID(leaf, NID_subject_alt_name, -1) >= 0)
		return;
	tls_name_short(leaf, name, sizeof name);
	(void)tls_load_say(chain->load, chain->item, REPORT_WARNING,
		" certificate 1 (%s) has no subjectAltName; clients find no "
		"server name in it",
		name);
}

/* Has the first one issued another? That the order is wrong says tls_cert, and
 * then nothing here is about the leaf. */
static bool
is_upside_down(const struct chain *chain)
{
	X509 *first = sk_X509_value(chain->certs, 0);

	for (int i = 1; i < sk_X509_num(chain->certs); i++) {
		if (X509_check_issued(first, sk_X509_value(chain->certs, i)) ==
			X509_V_OK)
			return true;
	}
	return false;
}

static void
check_file(const struct tls_roots *roots, const struct tls_load *load,
	const struct tls_item *item)
{
	struct chain chain = {.load = load, .item = item};

	chain.certs = tls_load_certs(load, item);
	if (chain.certs == NULL)
		return;
	chain.top = find_top(&chain);
	if (X509_self_signed(chain.top, 0) != 1) {
		chain.anchor = tls_roots_find_issuer(roots, chain.top);
		check_missing(&chain, roots);
	}
	if (!is_upside_down(&chain)) {
		check_names(&chain);
		check_path(&chain);
	}
	for (int i = 0; i < sk_X509_num(chain.certs); i++)
		tls_weak_check(load, item, i, sk_X509_value(chain.certs, i));
	X509_free(chain.anchor);
	sk_X509_pop_free(chain.certs, X509_free);
}

void
tls_chain_check(const struct tls_roots *roots,
	const struct listener_settings *listener, struct file_source *files,
	struct report *report)
{
	const struct tls_load load = {listener, files, report};

	for (size_t i = 0; i < listener->tls.certfile.n; i++) {
		const struct tls_item item = {
			"certfile", i, listener->tls.certfile.items[i]};

		check_file(roots, &load, &item);
	}
}
