/* URIs against rules. */
#include "config.h"

#include "authz/policy_uri.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "authz/identity.h"
#include "conf/rule_uri.h"

#define SPIFFE_SCHEME "spiffe:"

/* In any case of letters: "SPIFFE:" must not pass for something else. */
static bool
is_spiffe(const char *uri)
{
	return strncasecmp(uri, SPIFFE_SCHEME, strlen(SPIFFE_SCHEME)) == 0;
}

/* The length of the dots that TEXT starts with, percent-encoded or not. */
static size_t
dot_length(const char *text)
{
	if (text[0] == '.')
		return 1;
	return strncasecmp(text, "%2e", 3) == 0 ? 3 : 0;
}

/* Is the part that TEXT starts with "." or ".."? */
static bool
is_dot_part(const char *text)
{
	size_t len = dot_length(text);

	if (len == 0)
		return false;
	len += dot_length(text + len);
	return text[len] == '\0' || strchr("/?#", text[len]) != NULL;
}

static bool
has_dot_part(const char *uri)
{
	const char *at = strchr(uri, ':');

	/* The scheme's colon starts a part as well as a slash does. */
	for (; at != NULL; at = strchr(at + 1, '/')) {
		if (is_dot_part(at + 1))
			return true;
	}
	return false;
}

/* A SPIFFE ID is held to what a rule for it may say, less the globs. */
static bool
is_good_spiffe(const char *uri)
{
	return strncmp(uri, SPIFFE_SCHEME, strlen(SPIFFE_SCHEME)) == 0 &&
	       strchr(uri, '*') == NULL && rule_uri_problem(uri) == NULL;
}

static bool
is_usable(const char *uri)
{
	if (strnlen(uri, RULE_URI_MAX + 1) > RULE_URI_MAX || has_dot_part(uri))
		return false;
	return !is_spiffe(uri) || is_good_spiffe(uri);
}

/*
 * Each "*" of RULE stands for at least one byte of PART. Going back to the
 * last star only is enough, and bounds the work to the product of the lengths.
 */
static bool
part_matches(const char *rule, size_t rule_len, const char *part, size_t len)
{
	size_t r = 0, at = 0, after_star = 0, star_end = 0;

	while (at < len) {
		if (r < rule_len && rule[r] == '*') {
			after_star = ++r;
			star_end = ++at;
		} else if (r < rule_len && rule[r] == part[at]) {
			r++;
			at++;
		} else if (after_star > 0) {
			r = after_star;
			at = ++star_end;
		} else {
			return false;
		}
	}
	return r == rule_len;
}

/* RULE and URI without their schemes, part by part. */
static bool
path_matches(const char *rule, const char *uri)
{
	while (true) {
		const size_t rule_len = strcspn(rule, "/");
		const size_t len = strcspn(uri, "/");

		if (strcmp(rule, "**") == 0)
			return len > 0;
		if (!part_matches(rule, rule_len, uri, len))
			return false;
		if (rule[rule_len] == '\0' || uri[len] == '\0')
			return rule[rule_len] == uri[len];
		rule += rule_len + 1;
		uri += len + 1;
	}
}

bool
policy_uri_matches(const char *rule, const char *uri)
{
	const size_t scheme = strcspn(rule, ":") + 1;

	if (strncasecmp(rule, uri, scheme) != 0 || !is_usable(uri))
		return false;
	if (strchr(rule, '*') == NULL)
		return strcmp(rule + scheme, uri + scheme) == 0;
	/* Globs are for paths; a query is none. */
	return strpbrk(uri, "?#") == NULL &&
	       path_matches(rule + scheme, uri + scheme);
}

const char *
policy_uri_problem(const struct identity *identity)
{
	const struct text_list *uris = &identity->uri;
	size_t n_spiffe = 0;

	for (size_t i = 0; i < uris->n; i++)
		n_spiffe += is_spiffe(uris->items[i]);
	if (n_spiffe > 1)
		return "the certificate has more than one SPIFFE ID";
	if (n_spiffe == 1 && uris->n > 1)
		return "the certificate has another URI beside its SPIFFE ID";
	if (n_spiffe == 1 && !is_good_spiffe(uris->items[0]))
		return "the certificate's SPIFFE ID is malformed";
	if (n_spiffe == 1 && identity->is_authority)
		return "the certificate's SPIFFE ID is that of a CA";
	return NULL;
}
