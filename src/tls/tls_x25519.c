/* Keys for X25519 from the Montgomery ladder. */
#include "tls/tls_x25519.h"

#include <stddef.h>
#include <string.h>

#include <openssl/core.h>
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include "tls/tls_algorithm.h"

#define NAME "X25519"
#define SIZE 32

/* RFC 7748 section 6.1: "the u-coordinate of the base point". */
static const unsigned char base_point[SIZE] = {9};

static void *provider;

/* The provider's own key management. */
static struct {
	OSSL_FUNC_keymgmt_new_fn *new_key;
	OSSL_FUNC_keymgmt_free_fn *free_key;
	OSSL_FUNC_keymgmt_import_fn *import;
	OSSL_FUNC_keymgmt_gen_init_fn *gen_init;
	OSSL_FUNC_keymgmt_gen_set_params_fn *gen_set_params;
	OSSL_FUNC_keymgmt_gen_settable_params_fn *gen_settable;
	OSSL_FUNC_keymgmt_gen_fn *gen;
	OSSL_FUNC_keymgmt_gen_cleanup_fn *gen_cleanup;
} theirs;

/* ---- the ladder: the provider's key exchange ---- */

static struct {
	OSSL_FUNC_keyexch_newctx_fn *newctx;
	OSSL_FUNC_keyexch_init_fn *init;
	OSSL_FUNC_keyexch_set_peer_fn *set_peer;
	OSSL_FUNC_keyexch_derive_fn *derive;
	OSSL_FUNC_keyexch_freectx_fn *freectx;
	void *ctx;
	void *base; /* the base point, as the key of a peer */
} ladder;

/* Either half of a key may be NULL. */
static bool
import_key(void *key, int selection, const unsigned char *private,
	const unsigned char *public)
{
	OSSL_PARAM params[3], *at = params;
	unsigned char private_copy[SIZE], public_copy[SIZE];
	bool is_good;

	if (private != NULL) {
		memcpy(private_copy, private, SIZE);
		*at++ = OSSL_PARAM_construct_octet_string(
			OSSL_PKEY_PARAM_PRIV_KEY, private_copy, SIZE);
	}
	if (public != NULL) {
		memcpy(public_copy, public, SIZE);
		*at++ = OSSL_PARAM_construct_octet_string(
			OSSL_PKEY_PARAM_PUB_KEY, public_copy, SIZE);
	}
	*at = OSSL_PARAM_construct_end();
	is_good = theirs.import(key, selection, params) == 1;
	OPENSSL_cleanse(private_copy, sizeof private_copy);
	return is_good;
}

static void
close_ladder(void)
{
	if (ladder.ctx != NULL)
		ladder.freectx(ladder.ctx);
	if (ladder.base != NULL)
		theirs.free_key(ladder.base);
	ladder.ctx = NULL;
	ladder.base = NULL;
}

/* For the life of the process. */
static bool
open_ladder(void)
{
	ladder.ctx = ladder.newctx(provider);
	ladder.base = theirs.new_key(provider);
	if (ladder.ctx != NULL && ladder.base != NULL &&
		import_key(ladder.base, OSSL_KEYMGMT_SELECT_PUBLIC_KEY, NULL,
			base_point) &&
		ladder.set_peer(ladder.ctx, ladder.base) == 1)
		return true;
	close_ladder();
	return false;
}

/* X25519(the private half of KEY, 9). */
static bool
climb(void *key, unsigned char out[SIZE])
{
	size_t len = SIZE;
	bool is_good = ladder.init(ladder.ctx, key, NULL) == 1 &&
		       ladder.derive(ladder.ctx, out, &len, SIZE) == 1 &&
		       len == SIZE;

	/* Else it would hold on to the private key until the next one. */
	return ladder.init(ladder.ctx, ladder.base, NULL) == 1 && is_good;
}

/* ---- the making of a key ---- */

struct making {
	void *theirs;
	int selection;
};

/* A key without its public half cannot be imported: the base point stands in
 * until that is known. */
static bool
fill_key(void *key)
{
	unsigned char private[SIZE], public[SIZE];
	bool is_good;

	if (RAND_priv_bytes_ex(
		    OSSL_LIB_CTX_get0_global_default(), private, SIZE, 0) != 1)
		return false;
	private[0] &= 248; /* RFC 7748 section 5 */
	private[SIZE - 1] &= 127;
	private[SIZE - 1] |= 64;
	is_good = import_key(
		key, OSSL_KEYMGMT_SELECT_KEYPAIR, private, base_point);
	OPENSSL_cleanse(private, sizeof private);
	return is_good && climb(key, public) &&
	       import_key(key, OSSL_KEYMGMT_SELECT_PUBLIC_KEY, NULL, public);
}

static void *
gen_init(void *context, int selection, const OSSL_PARAM *params)
{
	struct making *making = OPENSSL_zalloc(sizeof *making);

	if (making == NULL)
		return NULL;
	making->selection = selection;
	making->theirs = theirs.gen_init(context, selection, params);
	if (making->theirs == NULL) {
		OPENSSL_free(making);
		return NULL;
	}
	return making;
}

static int
gen_set_params(void *context, const OSSL_PARAM *params)
{
	struct making *making = context;

	return theirs.gen_set_params(making->theirs, params);
}

static const OSSL_PARAM *
gen_settable(void *context, void *of_provider)
{
	struct making *making = context;

	return theirs.gen_settable(
		making != NULL ? making->theirs : NULL, of_provider);
}

static void *
gen(void *context, OSSL_CALLBACK *tell, void *arg)
{
	struct making *making = context;
	void *key;

	/* What takes in the other side's key is made like this, too: empty. */
	if ((making->selection & OSSL_KEYMGMT_SELECT_KEYPAIR) == 0)
		return theirs.gen(making->theirs, tell, arg);
	key = theirs.new_key(provider);
	if (key != NULL && !fill_key(key)) {
		theirs.free_key(key);
		key = NULL;
	}
	return key;
}

static void
gen_cleanup(void *context)
{
	struct making *making = context;

	if (making != NULL)
		theirs.gen_cleanup(making->theirs);
	OPENSSL_free(making);
}

/* ---- in the place of theirs ---- */

/* As many as OpenSSL has functions for keys, and some. */
#define FUNCTIONS_MAX 48

static OSSL_DISPATCH functions[FUNCTIONS_MAX + 1]; /* ends with 0 */

/* Notes what their function is, and says which stands in its place. */
static void (*take_function(const OSSL_DISPATCH *entry))(void)
{
	switch (entry->function_id) {
	case OSSL_FUNC_KEYMGMT_NEW:
		theirs.new_key = OSSL_FUNC_keymgmt_new(entry);
		break;
	case OSSL_FUNC_KEYMGMT_FREE:
		theirs.free_key = OSSL_FUNC_keymgmt_free(entry);
		break;
	case OSSL_FUNC_KEYMGMT_IMPORT:
		theirs.import = OSSL_FUNC_keymgmt_import(entry);
		break;
	case OSSL_FUNC_KEYMGMT_GEN_INIT:
		theirs.gen_init = OSSL_FUNC_keymgmt_gen_init(entry);
		return (void (*)(void))gen_init;
	case OSSL_FUNC_KEYMGMT_GEN_SET_PARAMS:
		theirs.gen_set_params = OSSL_FUNC_keymgmt_gen_set_params(entry);
		return (void (*)(void))gen_set_params;
	case OSSL_FUNC_KEYMGMT_GEN_SETTABLE_PARAMS:
		theirs.gen_settable =
			OSSL_FUNC_keymgmt_gen_settable_params(entry);
		return (void (*)(void))gen_settable;
	case OSSL_FUNC_KEYMGMT_GEN:
		theirs.gen = OSSL_FUNC_keymgmt_gen(entry);
		return (void (*)(void))gen;
	case OSSL_FUNC_KEYMGMT_GEN_CLEANUP:
		theirs.gen_cleanup = OSSL_FUNC_keymgmt_gen_cleanup(entry);
		return (void (*)(void))gen_cleanup;
	default: /* is theirs as it is */
		break;
	}
	return entry->function;
}

/* A function of theirs that we do not know might be one that is called with
 * what GEN_INIT gave: then all stays as it is. */
static bool
is_of_gen(int function_id)
{
	return function_id == OSSL_FUNC_KEYMGMT_GEN_SET_TEMPLATE;
}

static bool
take_management(const OSSL_DISPATCH *entry)
{
	size_t n = 0;

	for (; entry->function_id != 0; entry++) {
		if (n == FUNCTIONS_MAX || is_of_gen(entry->function_id))
			return false;
		functions[n].function_id = entry->function_id;
		functions[n++].function = take_function(entry);
	}
	return theirs.new_key != NULL && theirs.free_key != NULL &&
	       theirs.import != NULL && theirs.gen_init != NULL &&
	       theirs.gen_set_params != NULL && theirs.gen_settable != NULL &&
	       theirs.gen != NULL && theirs.gen_cleanup != NULL;
}

static bool
take_exchange(const OSSL_DISPATCH *entry)
{
	for (; entry->function_id != 0; entry++) {
		switch (entry->function_id) {
		case OSSL_FUNC_KEYEXCH_NEWCTX:
			ladder.newctx = OSSL_FUNC_keyexch_newctx(entry);
			break;
		case OSSL_FUNC_KEYEXCH_INIT:
			ladder.init = OSSL_FUNC_keyexch_init(entry);
			break;
		case OSSL_FUNC_KEYEXCH_SET_PEER:
			ladder.set_peer = OSSL_FUNC_keyexch_set_peer(entry);
			break;
		case OSSL_FUNC_KEYEXCH_DERIVE:
			ladder.derive = OSSL_FUNC_keyexch_derive(entry);
			break;
		case OSSL_FUNC_KEYEXCH_FREECTX:
			ladder.freectx = OSSL_FUNC_keyexch_freectx(entry);
			break;
		default: /* nothing that we need */
			break;
		}
	}
	return ladder.newctx != NULL && ladder.init != NULL &&
	       ladder.set_peer != NULL && ladder.derive != NULL &&
	       ladder.freectx != NULL;
}

bool
tls_x25519_replace(struct ossl_algorithm_st *keymgmts,
	const struct ossl_algorithm_st *exchanges, void *context)
{
	const OSSL_ALGORITHM *management = tls_algorithm_find(keymgmts, NAME);
	const OSSL_ALGORITHM *exchange = tls_algorithm_find(exchanges, NAME);

	provider = context;
	if (management == NULL || exchange == NULL ||
		!take_management(management->implementation) ||
		!take_exchange(exchange->implementation) || !open_ladder())
		return false;
	keymgmts[management - keymgmts].implementation = functions;
	return true;
}
