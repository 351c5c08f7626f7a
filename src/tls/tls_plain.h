#pragma once

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
