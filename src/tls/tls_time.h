#pragma once

#include <stdint.h>

struct asn1_string_st;
struct stack_st_X509;

/* Later than any certificate can say. */
#define TLS_TIME_FOREVER INT64_MAX

/* An ASN1_TIME in seconds since the epoch. 0, which is long over, for one that
 * cannot be read: what it stands in was not verified either. */
int64_t tls_time_unix(const struct asn1_string_st *time);

/* When the first certificate of CHAIN (may be NULL) expires; TLS_TIME_FOREVER
 * without one. */
int64_t tls_time_end_of_chain(const struct stack_st_X509 *chain);
