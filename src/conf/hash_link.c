#include "config.h"

#include "conf/hash_link.h"

#include <string.h>

#define DIGITS     "0123456789"
#define HEX_DIGITS DIGITS "abcdef"

enum hash_link
hash_link_of(const char *name)
{
	enum hash_link link = HASH_LINK_CERT;

	if (strspn(name, HEX_DIGITS) != 8 || name[8] != '.')
		return HASH_LINK_NONE;
	name += 9;
	if (*name == 'r') {
		link = HASH_LINK_CRL;
		name++;
	}
	if (*name == '\0' || name[strspn(name, DIGITS)] != '\0')
		return HASH_LINK_NONE;
	return link;
}
