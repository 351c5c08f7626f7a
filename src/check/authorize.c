/* `sallyport authorize`: a client's certificate without the client. */
#include "check/authorize.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "authz/identity.h"
#include "base/error.h"
#include "base/mem.h"
#include "check/check.h"
#include "check/check_json.h"
#include "check/verdict.h"
#include "conf/file_source.h"
#include "conf/report.h"
#include "conf/settings.h"
#include "tls/tls_ctx.h"
#include "tls/tls_offline.h"
#include "tls/tls_sni.h"

struct authorize {
	const struct authorize_options *options;
	struct report *report;
	struct file_source *files;
	struct settings *settings;
	struct listener_settings *listener;
	struct tls_ctx *ctx;       /* of the listener */
	struct tls_ctx **overlays; /* of its server names, in their order */
	struct tls_sni *names;     /* which of them a name leads to */
	struct tls_offline *client;
};

static void
load_contexts(struct authorize *it)
{
	const struct listener_settings *listener = it->listener;

	it->ctx = tls_ctx_new(listener, it->files, it->report);
	it->overlays =
		xcalloc(listener->n_overlays + 1, sizeof(struct tls_ctx *));
	for (size_t i = 0; i < listener->n_overlays; i++) {
		const struct text_list *names =
			&listener->overlays[i].server_names;
		struct tls_ctx *ctx = tls_ctx_new(
			&listener->overlays[i], it->files, it->report);

		/* Names that stand twice are among the findings already. */
		for (size_t k = 0; ctx != NULL && k < names->n; k++)
			(void)tls_sni_add(it->names, names->items[k], ctx);
		it->overlays[i] = ctx;
	}
}

static void
free_contexts(struct authorize *it)
{
	for (size_t i = 0; it->overlays != NULL && i < it->listener->n_overlays;
		i++)
		tls_ctx_unref(&it->overlays[i]);
	free(it->overlays);
	tls_sni_free(&it->names);
	tls_ctx_unref(&it->ctx);
}

static void
find_listener(struct authorize *it)
{
	const struct settings *settings = it->settings;
	const struct conf_pos whole = {.file = settings->path};
	const char *wanted = it->options->listener;

	for (size_t i = 0; i < settings->n_listeners; i++) {
		if (strcmp(settings->listeners[i].name, wanted) == 0) {
			it->listener = &settings->listeners[i];
			return;
		}
	}
	report_add(it->report, REPORT_ERROR, &whole, NULL,
		"there is no [listener %s] section", wanted);
}

/* Returns -1 after saying why there cannot be a verdict. */
static int
load_configuration(struct authorize *it)
{
	const struct authorize_options *options = it->options;

	it->files = check_files(options->path);
	it->settings = settings_load(options->path, it->files, it->report);
	find_listener(it);
	if (it->listener != NULL)
		load_contexts(it);
	if (report_errors(it->report) == 0)
		return 0;
	if (options->json) {
		check_json_print(it->report, options->path, stdout);
		return -1;
	}
	report_print(it->report, stderr);
	report_print_count(it->report, "configuration not loaded", stderr);
	return -1;
}

/* PATH is relative to where the user is, not to the configuration. */
static int
load_certs(struct authorize *it, const char *key, const char *path)
{
	struct file_source *here = file_source_disk(".");
	const char *bytes;
	struct error err;
	size_t len;
	int status;

	status = file_source_read(here, path, FILE_PUBLIC, &bytes, &len, &err);
	if (status == 0)
		status = tls_offline_add(it->client, bytes, len, &err);
	if (status < 0)
		(void)fprintf(stderr, "sallyport: %s \"%s\": %s\n", key, path,
			err.text);
	file_source_free(&here);
	return status;
}

static int
load_client(struct authorize *it)
{
	const struct authorize_options *options = it->options;
	int status = load_certs(it, "--cert", options->cert);

	for (size_t i = 0; i < options->n_chain; i++) {
		if (load_certs(it, "--chain", options->chain[i]) < 0)
			status = -1;
	}
	return status;
}

/* As the client hello callback does. NULL: nobody serves this name. */
static struct tls_ctx *
choose(const struct authorize *it)
{
	const char *name = it->options->server_name;
	struct tls_ctx *found = NULL;

	if (name != NULL)
		found = tls_sni_find(it->names, name, strlen(name));
	if (found == NULL &&
		it->listener->tls.sni_mismatch != SNI_MISMATCH_REJECT)
		return it->ctx;
	return found;
}

static const struct listener_settings *
section_of(const struct authorize *it, const struct tls_ctx *ctx)
{
	for (size_t i = 0; i < it->listener->n_overlays; i++) {
		if (it->overlays[i] == ctx)
			return &it->listener->overlays[i];
	}
	return it->listener;
}

static void
refuse_name(const struct authorize *it, struct tls_failure *out)
{
	const char *name = it->options->server_name;

	out->token = "unrecognized_name";
	if (name == NULL)
		(void)snprintf(out->text, sizeof out->text,
			"the client names no server");
	else
		(void)snprintf(out->text, sizeof out->text,
			"nobody here is called %s", name);
}

/* The way of a handshake: server name, chain, rules. */
static void
decide(const struct authorize *it, struct verdict *verdict)
{
	struct tls_ctx *ctx = choose(it);

	if (ctx == NULL) {
		refuse_name(it, &verdict->failure);
		return;
	}
	verdict->section = section_of(it, ctx);
	verdict->allowed =
		tls_offline_verify(it->client, ctx, &verdict->decision,
			&verdict->failure) == 0 &&
		tls_offline_prove(it->client, ctx, &verdict->failure) == 0;
}

/* Returns whether the client gets in. */
static bool
judge(struct authorize *it)
{
	struct identity *identity = tls_offline_identity(it->client);
	struct verdict verdict = {.identity = identity,
		.listener = it->options->listener,
		.server_name = it->options->server_name};

	decide(it, &verdict);
	if (it->options->json)
		verdict_print_json(&verdict, stdout);
	else
		verdict_print(&verdict, stdout);
	identity_free(&identity);
	return verdict.allowed;
}

int
authorize_main(const struct authorize_options *options)
{
	struct authorize it = {.options = options,
		.report = report_new(),
		.names = tls_sni_new(),
		.client = tls_offline_new()};
	bool allowed;

	tls_init();
	allowed = load_configuration(&it) == 0 && load_client(&it) == 0 &&
		  judge(&it);
	tls_offline_free(&it.client);
	free_contexts(&it);
	settings_free(&it.settings);
	file_source_free(&it.files);
	report_free(&it.report);
	/* What was printed may still wait for a disk that is full. */
	return allowed && fflush(stdout) == 0 && !ferror(stdout) ? EXIT_SUCCESS
								 : EXIT_FAILURE;
}
