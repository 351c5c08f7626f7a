/* The form of URI rules. */
#include "config.h"

#include "conf/rule_uri.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#define ALPHA         "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS        "0123456789"
#define SCHEME_CHARS  ALPHA DIGITS "+-."
#define SPIFFE_CHARS  ALPHA DIGITS ".-_"
#define SPIFFE_SCHEME "spiffe:"
#define TRUST_MAX     255

static bool
is_spiffe(const char *rule)
{
	return strncasecmp(rule, SPIFFE_SCHEME, strlen(SPIFFE_SCHEME)) == 0;
}

static bool
is_printable(const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text <= ' ' || *text > '~')
			return false;
	}
	return true;
}

static bool
is_segment(const char *segment, size_t len, const char *name)
{
	return len == strlen(name) && memcmp(segment, name, len) == 0;
}

static const char *
segment_problem(const char *segment, size_t len)
{
	const bool is_last = segment[len] == '\0';

	if (is_segment(segment, len, ".") || is_segment(segment, len, ".."))
		return "\".\" and \"..\" are no parts of a path here";
	if (is_segment(segment, len, "**") && is_last)
		return NULL;
	for (size_t i = 1; i < len; i++) {
		if (segment[i] == '*' && segment[i - 1] == '*')
			return "\"**\" may only be the whole of the last part";
	}
	return NULL;
}

static const char *
path_problem(const char *path)
{
	const char *why = NULL;

	if (strchr(path, '*') != NULL && strpbrk(path, "?#") != NULL)
		return "\"*\" does not go with a query or fragment";
	while (why == NULL) {
		const size_t len = strcspn(path, "/");

		why = segment_problem(path, len);
		if (path[len] == '\0')
			break;
		path += len + 1;
	}
	return why;
}

/* SPIFFE-ID, section 2: nothing but letters, digits and ".-_" in parts that
 * are not empty. PATH is "" or starts with "/". */
static const char *
spiffe_path_problem(const char *path)
{
	while (*path == '/') {
		const size_t len = strspn(path + 1, SPIFFE_CHARS "*");

		if (len == 0 && (path[1] == '/' || path[1] == '\0'))
			return "no part of a SPIFFE ID's path may be empty";
		path += len + 1;
	}
	if (*path != '\0')
		return "a SPIFFE ID's path holds letters, digits, \".\", "
		       "\"-\" and \"_\" only";
	return NULL;
}

/* AUTHORITY is what follows "//". */
static const char *
authority_problem(const char *authority, bool spiffe)
{
	const size_t len = strcspn(authority, "/?#");

	if (memchr(authority, '*', len) != NULL)
		return "\"*\" may only stand in the path";
	if (!spiffe)
		return path_problem(authority + len);
	if (len == 0)
		return "a SPIFFE ID has a trust domain after \"spiffe://\"";
	if (len > TRUST_MAX)
		return "its trust domain is longer than 255 bytes";
	if (strspn(authority, SPIFFE_CHARS) != len)
		return "a trust domain holds letters, digits, \".\", \"-\" "
		       "and \"_\" only";
	if (path_problem(authority + len) != NULL)
		return path_problem(authority + len);
	return spiffe_path_problem(authority + len);
}

const char *
rule_uri_problem(const char *rule)
{
	const size_t scheme_len = strspn(rule, SCHEME_CHARS);
	const char *rest = rule + scheme_len + 1;

	if (strlen(rule) > RULE_URI_MAX)
		return "it is longer than 2048 bytes";
	if (!is_printable(rule))
		return "blanks and what is not ASCII must be percent-encoded";
	if (scheme_len == 0 || rule[scheme_len] != ':' ||
		strspn(rule, ALPHA) == 0)
		return "it must start with a scheme (spiffe://, https://, "
		       "urn:)";
	if (*rest == '\0')
		return "there is nothing after the scheme";
	if (strncmp(rest, "//", 2) == 0)
		return authority_problem(rest + 2, is_spiffe(rule));
	if (is_spiffe(rule))
		return "a SPIFFE ID starts with \"spiffe://\"";
	return path_problem(rest);
}

void
rule_uri_normalise(char *rule)
{
	size_t end = strcspn(rule, ":");

	if (is_spiffe(rule) && strncmp(rule + end, "://", 3) == 0)
		end += 3 + strcspn(rule + end + 3, "/");
	/* Not tolower(): nothing of the locale. */
	for (size_t i = 0; i < end && rule[i] != '\0'; i++) {
		if (rule[i] >= 'A' && rule[i] <= 'Z')
			rule[i] = (char)(rule[i] - 'A' + 'a');
	}
}
