#pragma once

/* What openssl-rehash(1) calls the files of a directory of CAs: the hash of a
 * name, and a number to tell equal ones apart. Pure. */
enum hash_link {
	HASH_LINK_NONE, /* something else */
	HASH_LINK_CERT, /* 9d66eef0.0 */
	HASH_LINK_CRL   /* 9d66eef0.r0 */
};

enum hash_link hash_link_of(const char *name);
