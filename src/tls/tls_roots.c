/* The CAs that are known here, to find the issuers of our certificates. */
#include "tls/tls_roots.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include "base/mem.h"
#include "base/text.h"
#include "conf/file_source.h"
#include "conf/settings.h"

struct tls_roots {
	X509_STORE *store;
	bool has_gaps;
};

struct tls_roots *
tls_roots_new(void)
{
	struct tls_roots *roots = xcalloc(1, sizeof *roots);

	roots->store = X509_STORE_new();
	if (roots->store == NULL)
		roots->has_gaps = true;
	/* A machine without any CA is fine. */
	else
		(void)X509_STORE_set_default_paths(roots->store);
	ERR_clear_error();
	return roots;
}

void
tls_roots_free(struct tls_roots **roots)
{
	if (*roots == NULL)
		return;
	X509_STORE_free((*roots)->store);
	free(*roots);
	*roots = NULL;
}

static void
add_pem(struct tls_roots *roots, const char *bytes, size_t len)
{
	BIO *bio = BIO_new_mem_buf(bytes, (int)len); /* FILE_SOURCE_MAX fits */
	X509 *cert;

	if (bio == NULL || roots->store == NULL) {
		BIO_free(bio);
		return;
	}
	while ((cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
		(void)X509_STORE_add_cert(roots->store, cert);
		X509_free(cert);
	}
	ERR_clear_error();
	BIO_free(bio);
}

static void
add_file(struct tls_roots *roots, struct file_source *files, const char *path)
{
	const char *bytes;
	size_t len;

	if (file_source_read(files, path, FILE_PUBLIC, &bytes, &len, NULL) < 0)
		roots->has_gaps = true;
	else
		add_pem(roots, bytes, len);
}

static void
add_dir(struct tls_roots *roots, struct file_source *files, const char *path)
{
	const struct text_list *names;

	if (file_source_read_dir(files, path, &names, NULL) < 0) {
		roots->has_gaps = true;
		return;
	}
	for (size_t i = 0; i < names->n; i++) {
		char *file = settings_hash_link(path, names->items[i]);

		if (file != NULL)
			add_file(roots, files, file);
		free(file);
	}
}

void
tls_roots_add(struct tls_roots *roots, const struct listener_settings *listener,
	struct file_source *files)
{
	const struct tls_settings *tls = &listener->tls;

	for (size_t i = 0; i < tls->cafile.n; i++)
		add_file(roots, files, tls->cafile.items[i]);
	if (tls->capath != NULL)
		add_dir(roots, files, tls->capath);
	if (tls->cadata != NULL)
		add_pem(roots, tls->cadata, strlen(tls->cadata));
}

bool
tls_roots_are_complete(const struct tls_roots *roots)
{
	return !roots->has_gaps;
}

struct x509_st *
tls_roots_find_issuer(const struct tls_roots *roots, struct x509_st *cert)
{
	X509_STORE_CTX *search = X509_STORE_CTX_new();
	X509 *issuer = NULL;

	if (search == NULL || roots->store == NULL ||
		X509_STORE_CTX_init(search, roots->store, cert, NULL) != 1 ||
		X509_STORE_CTX_get1_issuer(&issuer, search, cert) != 1)
		issuer = NULL;
	X509_STORE_CTX_free(search);
	ERR_clear_error();
	return issuer;
}
