/* DNS names against rules. */
#include "config.h"

#include "authz/policy_dns.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "authz/policy_list.h"

#define DNS_MAX     253
#define LABEL_MAX   63
#define LABEL_CHARS "abcdefghijklmnopqrstuvwxyz0123456789-_"

/* Lower case of ASCII only: IDNA names come as A-labels, and the locale has no
 * say in who may come in. */
static bool
copy_lower(const char *name, char out[DNS_MAX + 1])
{
	const size_t len = strlen(name);

	if (len == 0 || len > DNS_MAX)
		return false;
	for (size_t i = 0; i <= len; i++)
		out[i] = name[i] >= 'A' && name[i] <= 'Z'
				 ? (char)(name[i] - 'A' + 'a')
				 : name[i];
	return true;
}

const char *
policy_dns_find(const struct text_list *rules, const char *name)
{
	char lower[DNS_MAX + 1];
	const char *found;
	size_t label;

	if (!copy_lower(name, lower) || strchr(lower, '*') != NULL ||
		lower[strlen(lower) - 1] == '.')
		return NULL;
	found = policy_list_find(rules, lower);
	label = strspn(lower, LABEL_CHARS);
	if (found != NULL || label == 0 || label > LABEL_MAX ||
		lower[label] != '.')
		return found;
	lower[label - 1] = '*'; /* "app.x" -> "*.x", in its last byte */
	return policy_list_find(rules, lower + label - 1);
}
