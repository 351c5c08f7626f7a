#pragma once

struct file_source;
struct listener_settings;
struct report;
struct tls_roots;

/*
 * Our own certificates as a client will see them: the way from the leaf to a
 * root, with nothing but what certfile sends. For `sallyport check`; all
 * findings are warnings, since a daemon starts regardless.
 *
 * Warns of an issuer that is neither in the file nor a root among ROOTS; of
 * whatever X509_verify_cert() refuses, also with strict verification (RFC
 * 5280, Python 3.13's default); of a leaf without subjectAltName; of weak keys
 * and signatures. What tls_cert_load_pairs() finds (dates, order, purpose of
 * the leaf) is not said again.
 */
void tls_chain_check(const struct tls_roots *roots,
	const struct listener_settings *listener, struct file_source *files,
	struct report *report);
