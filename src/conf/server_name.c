#include "config.h"

#include "conf/server_name.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

#define LABEL_MAX 63
#define LETTERS   "abcdefghijklmnopqrstuvwxyz"
#define LDH       LETTERS "0123456789-"

/* Not of the locale. */
static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static int
refuse(const char *text, const char *why, struct error *err)
{
	return error_set(err, "\"%s\" is not a server name: %s", text, why);
}

/* One label of NAME, LEN bytes. NULL if it is good. */
static const char *
vet_label(const char *label, size_t len)
{
	if (len == 0)
		return "there is nothing between two dots";
	if (len > LABEL_MAX)
		return "a part of it is longer than 63 bytes";
	if (memchr(label, '*', len) != NULL)
		return "\"*\" may only be the whole of the first part";
	if (strspn(label, LDH) < len)
		return "it may hold letters, digits, \"-\" and \".\" only "
		       "(of names in other letters, the form that starts with "
		       "xn--)";
	if (label[0] == '-' || label[len - 1] == '-')
		return "a part of it starts or ends with \"-\"";
	return NULL;
}

/* What is wrong with NAME; NULL if nothing is. */
static const char *
vet_name(const char *name)
{
	const char *why = NULL;

	if (*name == '\0')
		return "it is empty";
	if (text_starts_with(name, "*.")) {
		name += 2;
		if (strchr(name, '.') == NULL)
			return "there must be at least two more parts after "
			       "\"*\"";
	}
	while (why == NULL) {
		size_t len = strcspn(name, ".");

		why = vet_label(name, len);
		if (name[len] == '\0')
			break;
		name += len + 1;
	}
	return why;
}

int
server_name_parse(
	const char *text, char out[SERVER_NAME_SIZE], struct error *err)
{
	char name[SERVER_NAME_SIZE];
	size_t len = strlen(text);
	const char *why;

	if (len > 1 && text[len - 1] == '.')
		len--;
	if (len >= sizeof name)
		return refuse(text, "it is longer than 253 bytes", err);
	for (size_t i = 0; i < len; i++)
		name[i] = lower(text[i]);
	name[len] = '\0';
	why = vet_name(name);
	if (why != NULL)
		return refuse(text, why, err);
	memcpy(out, name, len + 1);
	return 0;
}

bool
server_name_is_address(const char *name)
{
	struct in_addr addr;

	return inet_pton(AF_INET, name, &addr) == 1;
}

bool
server_name_covers(const char *wildcard, const char *name)
{
	const char *dot = strchr(name, '.');

	return text_starts_with(wildcard, "*.") && *name != '*' &&
	       dot != NULL && strcmp(wildcard + 1, dot) == 0;
}
