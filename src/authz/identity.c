/* Who a client is, as text. */
#include "authz/identity.h"

#include <stdio.h>
#include <stdlib.h>

void
identity_free(struct identity **identity)
{
	struct identity *it = *identity;

	if (it == NULL)
		return;
	text_list_done(&it->cn);
	text_list_done(&it->ou);
	text_list_done(&it->o);
	free(it->spki_sha256);
	free(it->issuer_cn);
	free(it->issuer_spki_sha256);
	free(it->subject);
	free(it->issuer);
	free(it->serial);
	free(it->sha256);
	free(it->twin_sha256);
	text_list_done(&it->dns);
	text_list_done(&it->uri);
	text_list_done(&it->ip);
	text_list_done(&it->email);
	free(it);
	*identity = NULL;
}

/* Blanks separate the names: one inside a name must not look like two. */
static void
print_name(const char *name, FILE *out)
{
	for (; *name != '\0'; name++) {
		unsigned char byte = (unsigned char)*name;

		if (byte <= ' ' || byte == '\\' || byte == 0x7f)
			(void)fprintf(out, "\\%02X", byte);
		else
			(void)putc(byte, out);
	}
}

/* Prints as many of LIST as fit below MAX; returns how many were printed so
 * far. */
static size_t
print_list(const char *kind, const struct text_list *list, size_t printed,
	size_t max, FILE *out)
{
	for (size_t i = 0; i < list->n && printed < max; i++, printed++) {
		(void)fprintf(out, "%s%s:", printed > 0 ? " " : "", kind);
		print_name(list->items[i], out);
	}
	return printed;
}

char *
identity_names_text(const struct identity *identity, size_t max)
{
	size_t total = identity->dns.n + identity->uri.n + identity->ip.n +
		       identity->email.n;
	size_t printed = 0;
	size_t size = 0;
	char *text = NULL;
	FILE *out;

	if (total == 0)
		return NULL;
	out = open_memstream(&text, &size);
	if (out == NULL)
		return NULL;
	printed = print_list("DNS", &identity->dns, printed, max, out);
	printed = print_list("URI", &identity->uri, printed, max, out);
	printed = print_list("IP", &identity->ip, printed, max, out);
	printed = print_list("email", &identity->email, printed, max, out);
	if (printed < total)
		(void)fprintf(out, "%s(+%zu more)", printed > 0 ? " " : "",
			total - printed);
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}
