/* Private keys, encrypted or not, from PEM contents. */
#include "config.h"

#include "tls/tls_key.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/decoder.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/error.h"
#include "conf/settings.h"
#include "tls/tls_error.h"
#include "tls/tls_lean.h"
#include "tls/tls_load.h"
#include "tls/tls_parsed.h"

#define FINGERPRINT_BYTES 8
#define KIND_SIZE         80

/* For OpenSSL's callback. TEXT is borrowed from the file source. */
struct password {
	const char *text; /* NULL: there is none */
	size_t len;
	bool was_asked;
};

static int
give_password(char *buf, int size, int is_writing, void *arg)
{
	struct password *password = arg;

	(void)is_writing;
	password->was_asked = true;
	if (password->text == NULL || password->len > (size_t)size)
		return -1;
	memcpy(buf, password->text, password->len);
	return (int)password->len;
}

static int
say_password(const struct tls_load *load, const char *what)
{
	settings_report(load->listener, "password_file", 0, REPORT_ERROR,
		load->report, "password_file \"%s\"%s",
		load->listener->tls.password_file, what);
	return -1;
}

/* The first line of password_file; no password_file is no failure. */
static int
read_password(const struct tls_load *load, struct password *password)
{
	const struct tls_item item = {
		"password_file", 0, load->listener->tls.password_file};
	const char *bytes;
	size_t len;

	if (item.path == NULL)
		return 0;
	if (tls_load_read(load, &item, FILE_SECRET, &bytes, &len) < 0)
		return -1;
	password->text = bytes;
	password->len = strcspn(bytes, "\n"); /* a NUL ends it as well */
	if (password->len > 0 && bytes[password->len - 1] == '\r')
		password->len--;
	if (password->len == 0)
		return say_password(load, " holds no password: its first "
					  "line is empty");
	if (password->len > PEM_BUFSIZE)
		return say_password(
			load, ": a password has at most 1024 bytes");
	return 0;
}

static int
say_unreadable(const struct tls_load *load, const struct tls_item *item,
	const struct password *password)
{
	char reason[ERROR_TEXT_MAX / 2];

	(void)tls_error_queue_text(reason, sizeof reason);
	if (!password->was_asked)
		return tls_load_say(load, item, REPORT_ERROR,
			": the private key cannot be read: %s", reason);
	if (password->text == NULL)
		return tls_load_say(load, item, REPORT_ERROR,
			" is encrypted; set password_file");
	return tls_load_say(load, item, REPORT_ERROR,
		" is encrypted, and not with the password in password_file "
		"\"%s\"",
		load->listener->tls.password_file);
}

/* Under which decoders know the kind of key: "EC" of "EC PRIVATE KEY", or what
 * PKCS#8 says. Of an unknown kind they would all be tried. */
static bool
find_kind(const char *form, const unsigned char *der, long len,
	char kind[KIND_SIZE])
{
	PKCS8_PRIV_KEY_INFO *info;
	const ASN1_OBJECT *oid;
	bool is_found;

	if (strcmp(form, PEM_STRING_PKCS8INF) != 0) {
		(void)snprintf(
			kind, KIND_SIZE, "%.*s", (int)strcspn(form, " "), form);
		return true;
	}
	info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &der, len);
	is_found = info != NULL &&
		   PKCS8_pkey_get0(&oid, NULL, NULL, NULL, info) == 1 &&
		   OBJ_obj2txt(kind, KIND_SIZE, oid, 0) > 0;
	PKCS8_PRIV_KEY_INFO_free(info); /* wipes */
	return is_found;
}

static EVP_PKEY *
decode_kind(const char *kind, const unsigned char *der, size_t len)
{
	EVP_PKEY *key = NULL;
	OSSL_DECODER_CTX *ctx = OSSL_DECODER_CTX_new_for_pkey(
		&key, "DER", NULL, kind, EVP_PKEY_KEYPAIR, NULL, NULL);

	if (ctx != NULL)
		(void)OSSL_DECODER_from_data(ctx, &der, &len);
	OSSL_DECODER_CTX_free(ctx);
	return key;
}

/* By the few decoders of handshakes. NULL for whatever they cannot do,
 * encrypted PKCS#8 for one. */
static EVP_PKEY *
decode_lean(BIO *bio, struct password *password)
{
	char kind[KIND_SIZE];
	EVP_PKEY *key = NULL;
	unsigned char *der;
	char *form;
	long len;

	if (PEM_bytes_read_bio(&der, &len, &form, PEM_STRING_EVP_PKEY, bio,
		    give_password, password) != 1)
		return NULL;
	if (find_kind(form, der, len, kind))
		key = decode_kind(kind, der, (size_t)len);
	OPENSSL_clear_free(der, (size_t)len);
	OPENSSL_free(form);
	return key;
}

static EVP_PKEY *
decode(const char *bytes, size_t len, struct password *password)
{
	/* Reads in place: no copy of the secret is made here. */
	BIO *bio = BIO_new_mem_buf(bytes, (int)len);
	bool is_inside = tls_lean_is_inside();
	EVP_PKEY *key = NULL;

	if (bio == NULL)
		return NULL;
	if (is_inside) {
		key = decode_lean(bio, password);
		tls_lean_end();
	}
	ERR_clear_error();
	/* All that OpenSSL can read, and what it says about the rest. */
	if (key == NULL && BIO_seek(bio, 0) == 0)
		key = PEM_read_bio_PrivateKey(
			bio, NULL, give_password, password);
	if (is_inside)
		tls_lean_begin();
	BIO_free(bio);
	return key;
}

struct evp_pkey_st *
tls_key_load(const struct tls_load *load, const struct tls_item *item)
{
	static const char mark[] = "PRIVATE KEY-----";
	struct password password = {0};
	const char *bytes;
	EVP_PKEY *key;
	size_t len;

	if (tls_load_read(load, item, FILE_SECRET, &bytes, &len) < 0)
		return NULL;
	if (memmem(bytes, len, mark, sizeof mark - 1) == NULL) {
		(void)tls_load_say_missing(
			load, item, "private key", bytes, len);
		return NULL;
	}
	if (read_password(load, &password) < 0)
		return NULL;
	key = tls_parsed_key(bytes, password.text);
	if (key != NULL)
		return key;
	key = decode(bytes, len, &password);
	if (key == NULL)
		(void)say_unreadable(load, item, &password);
	else
		tls_parsed_add_key(bytes, password.text, key);
	ERR_clear_error(); /* decoders leave the tries that failed */
	return key;
}

/* "P-256", where the field calls it so. */
static const char *
curve_name(const char *group)
{
	const char *nist = EC_curve_nid2nist(OBJ_sn2nid(group));

	return nist != NULL ? nist : group;
}

void
tls_key_kind(const struct evp_pkey_st *key, char *out, size_t out_size)
{
	const char *type = EVP_PKEY_get0_type_name(key);
	char group[64];
	size_t len;

	if (type == NULL)
		type = "unknown kind of key";
	if (EVP_PKEY_get_group_name(key, group, sizeof group, &len) == 1 &&
		EVP_PKEY_is_a(key, "EC"))
		(void)snprintf(out, out_size, "EC %s", curve_name(group));
	else if (EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_is_a(key, "RSA-PSS"))
		(void)snprintf(
			out, out_size, "%s %d", type, EVP_PKEY_get_bits(key));
	else
		(void)snprintf(out, out_size, "%s", type);
}

/* Of the public half, as `openssl pkey -pubout -outform DER | sha256sum`. */
static int
digest_public_key(EVP_PKEY *key, unsigned char digest[EVP_MAX_MD_SIZE])
{
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(key, &der);
	int ok;

	if (len < 0)
		return -1;
	ok = EVP_Digest(der, (size_t)len, digest, NULL, EVP_sha256(), NULL);
	OPENSSL_free(der);
	return ok == 1 ? 0 : -1;
}

void
tls_key_text(
	struct evp_pkey_st *key, const char *name, char *out, size_t out_size)
{
	unsigned char digest[EVP_MAX_MD_SIZE] = {0};
	char hex[2 * FINGERPRINT_BYTES + 1] = "?";
	char kind[96];

	if (digest_public_key(key, digest) == 0) {
		for (size_t i = 0; i < FINGERPRINT_BYTES; i++)
			(void)snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	}
	tls_key_kind(key, kind, sizeof kind);
	(void)snprintf(out, out_size, "sha256:%s.. (%s%s%s)", hex, kind,
		name != NULL ? ", " : "", name != NULL ? name : "");
}
