/* The effective settings and where they came from. */
#include "check/check_print.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/option_text.h"
#include "conf/options.h"
#include "conf/report.h"
#include "conf/settings.h"
#include "tls/tls_ctx.h"
#include "tls/tls_summary.h"

/* What a line of a configuration may have, comments apart. */
#define LINE_BYTES_MAX 198

/* Comments are for people. */
#define COMMENT_BYTES_MAX 78

#define INDENT "\t"

/*
 * Prints TEXT, broken at blanks into lines of at most MAX bytes, where the
 * first one has AT bytes already and all others start with INDENT_TEXT.
 */
static void
put_wrapped(const char *text, const char *indent_text, size_t at, size_t max,
	FILE *out)
{
	while (*text != '\0') {
		size_t len = strcspn(text, " ");

		(void)fwrite(text, 1, len, out);
		at += len;
		text += len;
		if (*text == '\0')
			return;
		text++;
		if (at + 1 + strcspn(text, " ") > max) {
			(void)fprintf(out, "\n%s", indent_text);
			at = strlen(indent_text);
		} else {
			(void)fputc(' ', out);
			at++;
		}
	}
}

/* A colon list means the same with blanks, where it can be broken. */
static void
loosen_colons(char *value, size_t room)
{
	if (strlen(value) <= room)
		return;
	for (char *c = value; *c != '\0'; c++) {
		if (*c == ':')
			*c = ' ';
	}
}

static void
put_option(const struct option *option, const void *target, const char *origin,
	FILE *out)
{
	char *value = option_text(option, target);
	size_t at = strlen(option->name) + strlen(" = ");

	if (value == NULL || *value == '\0') {
		(void)fprintf(out, "# %s is not set\n", option->name);
		free(value);
		return;
	}
	if (option->type == OPT_COLON_LIST)
		loosen_colons(value, LINE_BYTES_MAX - at);
	(void)fprintf(out, "%s = ", option->name);
	if (option_is_words(option) || option->type == OPT_COLON_LIST)
		put_wrapped(value, INDENT, at, LINE_BYTES_MAX, out);
	else
		(void)fputs(value, out);
	(void)fprintf(out, " ; %s\n", origin);
	free(value);
}

void
check_print_process(const struct settings *settings, FILE *out)
{
	(void)fputs("[sallyport]\n", out);
	for (const struct option *o = process_options; o->name != NULL; o++) {
		unsigned line = settings_process_pos(settings, o->name).line;
		char *origin = line == 0 ? xstrdup("default")
					 : xasprintf("line %u", line);

		put_option(o, &settings->process, origin, out);
		free(origin);
	}
}

/* The caller frees. */
static char *
origin_text(const struct listener_settings *section, const char *key)
{
	unsigned line = settings_pos(section, key, 0).line;

	switch (settings_origin(section, key)) {
	case ORIGIN_DEFAULT:
		return xstrdup("default");
	case ORIGIN_DEFAULTS_SECTION:
		return xasprintf("[defaults], line %u", line);
	case ORIGIN_LISTENER:
		return xasprintf(
			"[listener %s], line %u", section->listener, line);
	case ORIGIN_SECTION:
		return xasprintf("line %u", line);
	}
	return xstrdup("default");
}

void
check_print_policy(const struct policy_settings *policy, FILE *out)
{
	struct listener_settings borrowed = {0};

	/* Its options are rows of a listener's. */
	for (size_t i = 0; i < RULE_N_KINDS; i++)
		borrowed.rules.allow[i] = policy->allow[i];
	(void)fprintf(out, "\n[policy %s]\n", policy->name);
	for (const struct option *o = listener_options; o->name != NULL; o++) {
		char *origin;

		if ((o->sections & IN_POLICY) == 0 ||
			policy->allow[o->rule].n == 0)
			continue;
		origin = xasprintf(
			"line %u", settings_policy_pos(policy, o->name).line);
		put_option(o, &borrowed, origin, out);
		free(origin);
	}
}

/* What KEY became. */
static void
put_summary(struct tls_ctx *ctx, const char *key, FILE *out)
{
	char *text = tls_summary_of(ctx, key);

	if (text != NULL) {
		(void)fputs("#   ", out);
		put_wrapped(text, "#   ", 4, COMMENT_BYTES_MAX, out);
		(void)fputc('\n', out);
	}
	free(text);
}

void
check_print_section(const struct listener_settings *section,
	struct file_source *files, FILE *out)
{
	const bool is_overlay = section->listener != NULL;
	const unsigned in = is_overlay ? IN_SERVER_NAME : IN_LISTENER;
	struct report *nothing_new = report_new();
	struct tls_ctx *ctx = tls_ctx_new(section, files, nothing_new);

	(void)fprintf(out, "\n[%s %s]\n",
		is_overlay ? "server_name" : "listener", section->name);
	for (const struct option *o = listener_options; o->name != NULL; o++) {
		char *origin;

		if ((o->sections & in) == 0)
			continue;
		origin = origin_text(section, o->name);
		put_option(o, section, origin, out);
		free(origin);
		if (ctx != NULL)
			put_summary(ctx, o->name, out);
	}
	tls_ctx_unref(&ctx);
	report_free(&nothing_new);
}
