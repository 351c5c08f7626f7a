/* Times in certificates as numbers. */
#include "tls/tls_time.h"

#include <time.h>

#include <openssl/asn1.h>
#include <openssl/x509.h>

int64_t
tls_time_unix(const struct asn1_string_st *time)
{
	struct tm tm;

	return ASN1_TIME_to_tm(time, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

int64_t
tls_time_end_of_chain(const struct stack_st_X509 *chain)
{
	int64_t end = TLS_TIME_FOREVER;

	for (int i = 0; chain != NULL && i < sk_X509_num(chain); i++) {
		const X509 *cert = sk_X509_value(chain, i);
		int64_t until = tls_time_unix(X509_get0_notAfter(cert));

		if (until < end)
			end = until;
	}
	return end;
}
