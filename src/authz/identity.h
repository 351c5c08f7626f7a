#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

/*
 * What a client certificate says of its holder: plain text, no X.509. Filled
 * in by tls/tls_peer, read by the log and by the rules.
 *
 * Subject and issuer are RFC 4514 strings ("CN=billing,O=Corp"), UTF-8, with
 * every special and control byte escaped as that RFC says (\00 for NUL). The
 * lists hold the subjectAltName entries in their order; an entry that is no
 * plain text (empty, an embedded NUL, a byte that is not printable ASCII) or
 * no IP address is never in a list, it counts in n_bad_names. Serial and
 * fingerprints are lower-case hex, a negative serial starts with "-".
 */
struct identity {
	/* Every value of the subject's attribute of that name, in order, as
	 * UTF-8 and as it is, control characters included. A value with a NUL
	 * in it, or that has no UTF-8 form, is left out and counts below. A
	 * proxy certificate (RFC 3820) has none of them. */
	struct text_list cn;
	struct text_list ou;
	struct text_list o;
	/* SubjectPublicKeyInfo; and of the verified immediate issuer, NULL
	 * where that is not known. An issuer with no common name, with several
	 * or with a bad one has none here. */
	char *spki_sha256;
	char *issuer_cn;
	char *issuer_spki_sha256;
	char *subject;
	char *issuer;
	char *serial;
	char *sha256; /* of the whole certificate, DER */
	/* Of the certificate that its holder can make of it (tls/tls_twin);
	 * NULL where there is none, or nobody needs it. */
	char *twin_sha256;
	struct text_list dns;
	struct text_list uri;
	struct text_list ip;
	struct text_list email;
	size_t n_bad_names;
	bool is_authority; /* may sign certificates or CRLs */
};

/* Accepts a pointer to NULL. */
void identity_free(struct identity **identity);

/* All names as "DNS:a.example URI:spiffe://..." for one log field; cut after
 * MAX names with " (+N more)"; a blank or backslash inside a name is \XX.
 * malloc'd, NULL without memory or names. */
char *identity_names_text(const struct identity *identity, size_t max);
