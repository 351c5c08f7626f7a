#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "conf/file_source.h"
#include "conf/report.h"

struct asn1_string_st;
struct listener_settings;
struct stack_st_X509;
struct x509_st;

/* Room for how a finding calls a certificate (tls_name_short). */
#define TLS_LOAD_NAME_SIZE 128

/*
 * What the loaders of certificates, keys and CAs share: reading a file that a
 * key of the configuration names, and saying what is wrong with it.
 */
struct tls_load {
	const struct listener_settings *listener;
	struct file_source *files;
	struct report *report;
};

/* The INDEXth value of KEY, which names the file PATH; NULL where the value is
 * itself what others have in files. All borrowed. */
struct tls_item {
	const char *key;
	size_t index;
	const char *path;
};

/* What is to be read as PEM. Borrowed. */
struct tls_pem {
	const char *bytes;
	size_t len; /* at most FILE_SOURCE_MAX */
};

/* Reports   KEY "PATH" TEXT   at the place of ITEM; TEXT brings its own colon
 * or blank. Always returns -1. */
int tls_load_say(const struct tls_load *load, const struct tls_item *item,
	enum report_severity severity, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* The contents of ITEM's file, borrowed from the file source; a failure is
 * reported. */
int tls_load_read(const struct tls_load *load, const struct tls_item *item,
	enum file_kind kind, const char **bytes_out, size_t *len_out);

/* All certificates in ITEM's file, at least one; NULL after reporting why
 * not. The caller frees them all. */
struct stack_st_X509 *tls_load_certs(
	const struct tls_load *load, const struct tls_item *item);

/* The same from PEM that is there already. */
struct stack_st_X509 *tls_load_parse_certs(const struct tls_load *load,
	const struct tls_item *item, const struct tls_pem *pem);

/* Did the last PEM_read_bio_*() fail because there was no more? */
bool tls_load_is_end_of_pem(void);

/* "2026-01-31T12:00:00Z". Always terminates OUT. */
void tls_load_format_time(
	const struct asn1_string_st *time, char *out, size_t out_size);

/* Reports that ITEM's file holds no WANTED ("certificate", "private key"),
 * and what it seems to be instead. Always returns -1. */
int tls_load_say_missing(const struct tls_load *load,
	const struct tls_item *item, const char *wanted, const char *bytes,
	size_t len);

/* "Soon", in seconds. */
#define TLS_LOAD_SOON_S ((time_t)14 * 24 * 60 * 60)

/*
 * Warns when CERT, the one at DEPTH in ITEM's file (from 0), has expired, is
 * not yet valid or expires within 14 days. No error, since a daemon must be
 * able to start again however late it is.
 */
void tls_load_check_dates(const struct tls_load *load,
	const struct tls_item *item, int depth, const struct x509_st *cert);
