#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/*
 * The PROXY protocol, versions 1 and 2 ("The PROXY protocol", HAProxy's
 * proxy-protocol.txt): bytes in, addresses out, and the other way round. Pure:
 * no I/O.
 */
enum proxy_header_version {
	PROXY_HEADER_NONE,
	PROXY_HEADER_V1,
	PROXY_HEADER_V2
};

/* Bits: what to put into a version 2 header beside the addresses. */
enum proxy_tlv {
	PROXY_TLV_SSL = 1 << 0, /* PP2_TYPE_SSL with client, verify, version */
	PROXY_TLV_CN = 1 << 1,  /* these go inside PP2_TYPE_SSL ... */
	PROXY_TLV_CIPHER = 1 << 2,
	PROXY_TLV_SIG_ALG = 1 << 3,
	PROXY_TLV_KEY_ALG = 1 << 4,
	PROXY_TLV_GROUP = 1 << 5,      /* 0x26 */
	PROXY_TLV_SIG_SCHEME = 1 << 6, /* 0x27 */
	PROXY_TLV_CERT = 1 << 7,       /* 0x28, DER ... up to here */
	PROXY_TLV_ALPN = 1 << 8,
	PROXY_TLV_AUTHORITY = 1 << 9,
	PROXY_TLV_UNIQUE_ID = 1 << 10,
	PROXY_TLV_CRC32C = 1 << 11,
	PROXY_TLV_URI_SAN = 1 << 12, /* PROXY_TYPE_URI_SAN, once per URI */
	/* Any of these makes a PP2_TYPE_SSL. */
	PROXY_TLV_IN_SSL = PROXY_TLV_SSL | PROXY_TLV_CN | PROXY_TLV_CIPHER |
			   PROXY_TLV_SIG_ALG | PROXY_TLV_KEY_ALG |
			   PROXY_TLV_GROUP | PROXY_TLV_SIG_SCHEME |
			   PROXY_TLV_CERT
};

/* Of the range that the specification leaves to applications (0xE0-0xEF): one
 * URI subjectAltName of the verified client certificate, UTF-8. */
#define PROXY_TYPE_URI_SAN 0xE0

/*
 * What is told. All borrowed; NULL, "" or 0: unknown, its TLV is left out. Of
 * a client that is not verified or has no certificate, no CN, certificate or
 * URI is ever told, and the result in PP2_TYPE_SSL is not 0. SIG_ALG and
 * KEY_ALG are of the certificate that we showed ("RSA-SHA256", "RSA2048"), not
 * of the client's. CN: of a subject with exactly one, because a backend cannot
 * know which of several let the client in.
 */
struct proxy_info {
	const struct sockaddr *source;      /* the client */
	const struct sockaddr *destination; /* where it connected to */
	bool is_tls;
	bool has_client_cert; /* in this connection */
	bool cert_in_session; /* in this or a resumed one */
	bool is_verified;
	const char *version, *cn, *cipher, *sig_alg, *key_alg, *group,
		*sig_scheme, *authority, *unique_id;
	const uint8_t *alpn, *cert_der;
	size_t alpn_len, cert_der_len;
	const char *const *uri_sans;
	size_t n_uri_sans;
};

/* What a header may take. */
#define PROXY_HEADER_MAX ((size_t)16384)

/*
 * Writes the header of VERSION with TLVS (bits); families other than IPv4 and
 * IPv6 become UNKNOWN / UNSPEC (LOCAL is never sent for a real client), and
 * IPv4-mapped addresses are IPv4 where both ends are. When not all of it fits,
 * the certificate is left out; when it still does not, all URIs; then any TLV
 * that is too long. A unique_id over 128 bytes is left out. Returns its length;
 * 0 when SIZE is too small for even the addresses, and for PROXY_HEADER_NONE.
 */
size_t proxy_header_encode(enum proxy_header_version version, unsigned tlvs,
	const struct proxy_info *info, uint8_t *out, size_t size);

enum proxy_header_result {
	PROXY_HEADER_MORE,  /* so far so good: more bytes are needed */
	PROXY_HEADER_DONE,  /* *LEN_OUT bytes were the header */
	PROXY_HEADER_LOCAL, /* the same, but the proxy speaks for itself: the
			       connection's own addresses stand */
	PROXY_HEADER_BAD    /* no header, and never will be */
};

/* The longest header that is accepted from in front of us. */
#define PROXY_HEADER_ACCEPT_MAX ((size_t)4096)

/*
 * Reads a header of either version at the start of BYTES, which may be cut
 * anywhere and hold anything. BAD is said as soon as it is certain. A checksum
 * that is there must be right; other TLVs are only looked at for their form.
 *
 * SOURCE_OUT and DESTINATION_OUT are a sockaddr_in, a sockaddr_in6 or a
 * sockaddr_un (whose path need not end in a NUL), or AF_UNSPEC: for UNKNOWN,
 * UNSPEC and LOCAL. Outputs are untouched when there is nothing to say.
 * WHY_OUT (may be NULL): a literal that says what is wrong with a BAD one.
 */
enum proxy_header_result proxy_header_decode(const uint8_t *bytes, size_t len,
	size_t *len_out, struct sockaddr_storage *source_out,
	struct sockaddr_storage *destination_out, const char **why_out);
