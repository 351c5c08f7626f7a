#pragma once

struct tls_item;
struct tls_load;
struct x509_st;

/*
 * Warns when CERT, the one at DEPTH in ITEM's file (from 0), has a key of less
 * than 112 bits of security (RSA 2048, EC 224), or is signed by somebody else
 * with a digest that can be forged (MD5, SHA-1).
 */
void tls_weak_check(const struct tls_load *load, const struct tls_item *item,
	int depth, struct x509_st *cert);

/* Of the key only: nobody verifies the signature of a trust anchor. */
void tls_weak_check_key(const struct tls_load *load,
	const struct tls_item *item, int depth, struct x509_st *cert);
