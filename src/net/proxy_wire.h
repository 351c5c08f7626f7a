#pragma once

/*
 * The PROXY protocol as it is on the wire, for the two files that write and
 * read it.
 */
#define PROXY_V1_MAX   107 /* CR LF included */
#define PROXY_V1_START "PROXY "

#define PROXY_V2_SIGNATURE     "\r\n\r\n\0\r\nQUIT\n"
#define PROXY_V2_SIGNATURE_LEN (sizeof PROXY_V2_SIGNATURE - 1)
#define PROXY_V2_FIXED_LEN     16 /* signature, command, family, length */

#define PROXY_V2_VERSION 0x20

enum proxy_v2_command { PROXY_V2_LOCAL = 0, PROXY_V2_PROXY = 1 };

/* Address family and transport in one byte. */
enum proxy_v2_family {
	PROXY_V2_UNSPEC = 0x00,
	PROXY_V2_TCP4 = 0x11,
	PROXY_V2_UDP4 = 0x12,
	PROXY_V2_TCP6 = 0x21,
	PROXY_V2_UDP6 = 0x22,
	PROXY_V2_UNIX_STREAM = 0x31,
	PROXY_V2_UNIX_DGRAM = 0x32
};

#define PROXY_V2_IPV4_LEN      12
#define PROXY_V2_IPV6_LEN      36
#define PROXY_V2_UNIX_PATH_LEN 108
#define PROXY_V2_UNIX_LEN      216

#define PROXY_TLV_FIXED_LEN 3 /* type, length */

#define PROXY_TYPE_ALPN      0x01
#define PROXY_TYPE_AUTHORITY 0x02
#define PROXY_TYPE_CRC32C    0x03
#define PROXY_TYPE_UNIQUE_ID 0x05
#define PROXY_TYPE_SSL       0x20

#define PROXY_CRC32C_LEN    4
#define PROXY_UNIQUE_ID_MAX 128

/* Inside PROXY_TYPE_SSL: a byte of bits and a result, then TLVs again. */
#define PROXY_SSL_FIXED_LEN 5

#define PROXY_CLIENT_SSL       0x01
#define PROXY_CLIENT_CERT_CONN 0x02
#define PROXY_CLIENT_CERT_SESS 0x04

#define PROXY_SUBTYPE_SSL_VERSION    0x21
#define PROXY_SUBTYPE_SSL_CN         0x22
#define PROXY_SUBTYPE_SSL_CIPHER     0x23
#define PROXY_SUBTYPE_SSL_SIG_ALG    0x24
#define PROXY_SUBTYPE_SSL_KEY_ALG    0x25
#define PROXY_SUBTYPE_SSL_GROUP      0x26
#define PROXY_SUBTYPE_SSL_SIG_SCHEME 0x27
#define PROXY_SUBTYPE_SSL_CERT       0x28
