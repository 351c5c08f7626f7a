/* What `sallyport authorize` has found out, in words. */
#include "check/verdict.h"

#include <stddef.h>
#include <stdlib.h>

#include "authz/identity.h"
#include "base/mem.h"
#include "base/text.h"
#include "check/check_text.h"
#include "conf/settings.h"

/* A line for people; a certificate may have thousands. */
#define NAMES_MAX 100

/* The title of its section; the caller frees. */
static char *
section_title(const struct listener_settings *section)
{
	return xasprintf("%s %s",
		section->listener != NULL ? "server_name" : "listener",
		section->name);
}

static void
put_line(const char *key, const char *text, FILE *out)
{
	(void)fprintf(out, "%s: ", key);
	check_text_put(text, LOG_PLACE_MESSAGE, out);
	(void)fputc('\n', out);
}

static void
put_identity(const struct identity *identity, FILE *out)
{
	char *names = identity_names_text(identity, NAMES_MAX);

	put_line("subject", identity->subject, out);
	put_line("issuer", identity->issuer, out);
	put_line("serial", identity->serial, out);
	put_line("sha256", identity->sha256, out);
	put_line("spki_sha256", identity->spki_sha256, out);
	put_line("names", names != NULL ? names : "none", out);
	if (identity->n_bad_names > 0)
		(void)fprintf(
			out, "malformed names: %zu\n", identity->n_bad_names);
	free(names);
}

static void
put_way(const struct verdict *verdict, FILE *out)
{
	const char *name = verdict->server_name;
	char *title;

	put_line("listener", verdict->listener, out);
	put_line("server name", name != NULL ? name : "none", out);
	if (verdict->section == NULL)
		return;
	title = section_title(verdict->section);
	(void)fputs("section: [", out);
	check_text_put(title, LOG_PLACE_MESSAGE, out);
	(void)fputs("]\n", out);
	free(title);
}

void
verdict_print(const struct verdict *verdict, FILE *out)
{
	put_identity(verdict->identity, out);
	put_way(verdict, out);
	if (verdict->allowed) {
		put_line("allowed", verdict->decision.reason, out);
		return;
	}
	(void)fprintf(out, "refused: %s: ", verdict->failure.token);
	check_text_put(verdict->failure.text, LOG_PLACE_MESSAGE, out);
	(void)fputc('\n', out);
}

/* "KEY":"TEXT", or null where there is none. */
static void
put_member(const char *key, const char *text, FILE *out)
{
	(void)fprintf(out, "\"%s\":", key);
	if (text != NULL)
		check_text_put(text, LOG_PLACE_JSON, out);
	else
		(void)fputs("null", out);
}

static void
put_list(const char *key, const struct text_list *list, FILE *out)
{
	(void)fprintf(out, ",\"%s\":[", key);
	for (size_t i = 0; i < list->n; i++) {
		if (i > 0)
			(void)fputc(',', out);
		check_text_put(list->items[i], LOG_PLACE_JSON, out);
	}
	(void)fputc(']', out);
}

static void
put_json_identity(const struct identity *identity, FILE *out)
{
	put_member("subject", identity->subject, out);
	(void)fputc(',', out);
	put_member("issuer", identity->issuer, out);
	(void)fputc(',', out);
	put_member("serial", identity->serial, out);
	(void)fputc(',', out);
	put_member("sha256", identity->sha256, out);
	(void)fputc(',', out);
	put_member("spki_sha256", identity->spki_sha256, out);
	put_list("dns", &identity->dns, out);
	put_list("uri", &identity->uri, out);
	put_list("ip", &identity->ip, out);
	put_list("email", &identity->email, out);
	(void)fprintf(out, ",\"bad_names\":%zu", identity->n_bad_names);
}

static void
put_json_decision(const struct verdict *verdict, FILE *out)
{
	if (verdict->allowed) {
		put_member("reason", verdict->decision.reason, out);
		return;
	}
	put_member("reason", verdict->failure.token, out);
	(void)fputc(',', out);
	put_member("detail", verdict->failure.text, out);
}

void
verdict_print_json(const struct verdict *verdict, FILE *out)
{
	char *title = NULL;

	if (verdict->section != NULL)
		title = section_title(verdict->section);
	(void)fprintf(
		out, "{\"allowed\":%s,", verdict->allowed ? "true" : "false");
	put_json_decision(verdict, out);
	(void)fputc(',', out);
	put_member("listener", verdict->listener, out);
	(void)fputc(',', out);
	put_member("server_name", verdict->server_name, out);
	(void)fputc(',', out);
	put_member("section", title, out);
	(void)fputs(",\"identity\":{", out);
	put_json_identity(verdict->identity, out);
	(void)fputs("}}\n", out);
	free(title);
}
