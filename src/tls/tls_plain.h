#pragma once

struct ossl_dispatch_st;
struct ossl_lib_ctx_st;
struct ossl_provider_st;

/*
 * OpenSSL before 3.2 as it comes, whose detours we know and go around
 * (tls_lean.h, tls_blank.h).
 */

/*
 * Its default provider, if the process has nothing but that and what comes
 * with it. NULL: whoever configured another one, FIPS for one, is served by
 * it; and newer releases find their way by themselves. Borrowed, for the life
 * of the process.
 */
struct ossl_provider_st *tls_plain_provider(void);

/*
 * A library context whose only provider, called NAME, answers with FUNCTIONS
 * (provider(7)), which ask the default one for all that they do not know better
 * themselves: what they hand on of it is called as if it were there. For the
 * life of the process; NULL, and nothing left over, if it cannot be had. Only
 * where tls_plain_provider() is not NULL.
 */
struct ossl_lib_ctx_st *tls_plain_variant(
	const char *name, const struct ossl_dispatch_st *functions);
