/* Groups for the key exchange. */
#include "tls/tls_group.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/mem.h"
#include "conf/report.h"
#include "conf/settings.h"

/* Newer releases read signs before a name, older ones do not. */
static bool
is_plain(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_-";

	return name[0] != '\0' && name[0] != '-' &&
	       name[strspn(name, allowed)] == '\0';
}

/* NAME, which is left alone, is the only one in force if it is known. */
static bool
is_known(SSL_CTX *ssl_ctx, char *name)
{
	bool known =
		is_plain(name) && SSL_CTX_set1_groups_list(ssl_ctx, name) == 1;

	ERR_clear_error();
	return known;
}

/* The names of TEXT that the library has, joined by ':'; NULL if one is
 * missing that must not be. */
static char *
filter(SSL_CTX *ssl_ctx, const struct listener_settings *listener,
	struct report *report)
{
	char *copy = xstrdup(listener->tls.groups);
	char *kept = xstrdup("");
	char *rest = NULL;

	for (char *name = strtok_r(copy, ":", &rest); name != NULL;
		name = strtok_r(NULL, ":", &rest)) {
		bool optional = name[0] == '?';
		char *longer;

		if (optional)
			name++;
		if (is_known(ssl_ctx, name)) {
			longer = xasprintf("%s%s%s", kept,
				kept[0] != '\0' ? ":" : "", name);
			free(kept);
			kept = longer;
			continue;
		}
		if (optional && is_plain(name))
			continue;
		settings_report(listener, "groups", 0, REPORT_ERROR, report,
			"groups: this OpenSSL has no group \"%s\"; write "
			"\"?%s\" to use it only where there is one",
			name, name);
		free(kept);
		kept = NULL;
		break;
	}
	free(copy);
	return kept;
}

int
tls_group_set(struct ssl_ctx_st *ssl_ctx, char **groups_out,
	const struct listener_settings *listener, struct report *report)
{
	char *kept;

	*groups_out = NULL;
	if (listener->tls.groups == NULL)
		return 0;
	kept = filter(ssl_ctx, listener, report);
	if (kept == NULL)
		return -1;
	if (kept[0] != '\0' && SSL_CTX_set1_groups_list(ssl_ctx, kept) == 1) {
		*groups_out = kept;
		return 0;
	}
	ERR_clear_error();
	settings_report(listener, "groups", 0, REPORT_ERROR, report,
		kept[0] == '\0' ? "groups \"%s\": this OpenSSL has none of them"
				: "groups \"%s\": one of them is named twice",
		listener->tls.groups);
	free(kept);
	return -1;
}
