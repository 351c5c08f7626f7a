#pragma once

#include "certs.h"

/* Certificate revocation lists made in memory, for tests. */

/* Zero-initialised: of nothing, since an hour ago and for a day. */
struct crl_spec {
	long from_s;                /* from now; 0: an hour ago */
	long until_s;               /* from now; 0: a day */
	const struct cert *revoked; /* NULL: none */
};

/* PEM text; the caller frees. Signed by ISSUER. */
char *crl_pem(const struct crl_spec *spec, const struct cert *issuer);
