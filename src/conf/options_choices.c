/* The words that options of a listener choose from. */
#include "config.h"

#include "conf/options.h"

/* The order of each is that of its enum. */
const char *const option_verify_modes[] = {
	"none", "optional", "required", NULL};
const char *const option_tls_versions[] = {
	"TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3", NULL};
const char *const option_crl_checks[] = {"none", "leaf", "chain", NULL};
const char *const option_sni_mismatches[] = {"default", "reject", NULL};
const char *const option_tls_options[] = {"all", "cipher_server_preference",
	"enable_middlebox_compat", "no_compression", "no_renegotiation",
	"no_ticket", "single_dh_use", "single_ecdh_use", NULL};
const char *const option_verify_flags[] = {"crl_check_leaf", "crl_check_chain",
	"x509_strict", "x509_partial_chain", "x509_trusted_first",
	"allow_proxy_certs", NULL};

const char *const option_on_deauthorize[] = {"close", "keep", NULL};
const char *const option_proxy_protocols[] = {"none", "v1", "v2", NULL};
const char *const option_proxy_tlvs[] = {"ssl", "cn", "cipher", "sig_alg",
	"key_alg", "group", "sig_scheme", "cert", "alpn", "authority",
	"unique_id", "crc32c", "uri_san", NULL};

#define SAY_VERSIONS "is said with minimum_version and maximum_version"

const struct option_refusal option_refused_tls_options[] = {
	{"no_sslv2", SAY_VERSIONS},
	{"no_sslv3", SAY_VERSIONS},
	{"no_tlsv1", SAY_VERSIONS},
	{"no_tlsv1_1", SAY_VERSIONS},
	{"no_tlsv1_2", SAY_VERSIONS},
	{"no_tlsv1_3", SAY_VERSIONS},
	{"enable_ktls", "cannot be had: records are batched in user space"},
	{"ignore_unexpected_eof",
		"is refused: a truncated stream is never passed on as a whole "
		"one"},
	{"legacy_server_connect", "is for clients, and this is a server"},
	{NULL, NULL},
};

#define SAY_CRL_CHECK "is said with crl_check"

const struct option_refusal option_refused_verify_flags[] = {
	{"-crl_check_leaf", SAY_CRL_CHECK},
	{"-crl_check_chain", SAY_CRL_CHECK},
	{NULL, NULL},
};
