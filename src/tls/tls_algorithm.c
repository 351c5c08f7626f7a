/* What algorithms of a provider are called. */
#include "tls/tls_algorithm.h"

#include <stddef.h>
#include <string.h>

#include <openssl/core.h>

bool
tls_algorithm_is_called(
	const struct ossl_algorithm_st *algorithm, const char *name)
{
	const char *names = algorithm->algorithm_names;
	size_t len = strlen(name);

	return strncmp(names, name, len) == 0 &&
	       (names[len] == ':' || names[len] == '\0');
}

const struct ossl_algorithm_st *
tls_algorithm_find(const struct ossl_algorithm_st *table, const char *name)
{
	for (; table->algorithm_names != NULL; table++)
		if (tls_algorithm_is_called(table, name))
			return table;
	return NULL;
}
