#pragma once

#include <stddef.h>

struct error;
struct text_list;

/*
 * The CAs that this system trusts, for load_default_certs: as one text of PEM
 * that the caller frees, whatever files it is in. OpenSSL's variables count:
 * what SSL_CERT_FILE names, and the hash links in the directories (':' between
 * them) of SSL_CERT_DIR. Without either, the first of the files that Linux
 * distributions keep such a text in. More than LIMIT bytes, and no certificate
 * at all, are errors.
 */
int default_certs_read(
	size_t limit, char **bytes_out, size_t *len_out, struct error *err);

/* Adds to PATHS what default_certs_read() looks at, there or not. */
void default_certs_paths(struct text_list *paths);
