#pragma once

#include <stdbool.h>

struct ossl_algorithm_st;

/*
 * Names in the tables of algorithms that a provider of OpenSSL has, each of
 * which ends with an entry without any.
 */

/* By the first of its names: "EC:id-ecPublicKey:1.2.840.10045.2.1" is called
 * EC. */
bool tls_algorithm_is_called(
	const struct ossl_algorithm_st *algorithm, const char *name);

/* Where in TABLE the one is that is called NAME; NULL: there is none. */
const struct ossl_algorithm_st *tls_algorithm_find(
	const struct ossl_algorithm_st *table, const char *name);
