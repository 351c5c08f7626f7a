/* What the daemon says of itself when asked. */
#include "config.h"

#include "supervisor/status.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/log_line.h"
#include "supervisor/bundle.h"
#include "supervisor/workers.h"

static const char *
state_name(const struct status *status)
{
	if (status->draining)
		return "draining";
	return status->running == NULL ? "starting" : "serving";
}

static uint64_t
generation(const struct status *status)
{
	return status->running == NULL ? 0 : bundle_number(status->running);
}

/* The INDEXth socket: name and address; false beyond the last. */
static bool
socket_at(const struct status *status, size_t index, const char **name_out,
	char address[ADDR_TEXT_MAX])
{
	struct addr addr;

	/* A stop closes them. */
	*name_out = status->running == NULL || status->draining
			    ? NULL
			    : bundle_socket(status->running, index, &addr);
	if (*name_out == NULL)
		return false;
	(void)addr_format(&addr, address);
	return true;
}

void
status_print(const struct status *status, FILE *out)
{
	char address[ADDR_TEXT_MAX];
	const char *name;
	size_t i;

	(void)fprintf(out, "version: %s\npid: %d\nstate: %s\n", PACKAGE_VERSION,
		(int)getpid(), state_name(status));
	(void)fprintf(out,
		"generation: %" PRIu64 "\nworkers: %zu\nleaving workers: %zu\n"
		"connections: %" PRIu64 "\n",
		generation(status), workers_count(status->workers),
		workers_leaving(status->workers),
		workers_connections(status->workers));
	for (i = 0; socket_at(status, i, &name, address); i++)
		(void)fprintf(out, "listener %s: %s\n", name, address);
}

static void
put_json_text(const char *text, FILE *out)
{
	char bytes[ADDR_TEXT_MAX * 6];
	struct log_line line = {.bytes = bytes, .size = sizeof bytes};

	log_line_put_value(&line, text, LOG_PLACE_JSON, sizeof bytes);
	(void)fwrite(line.bytes, 1, line.len, out);
}

void
status_print_json(const struct status *status, FILE *out)
{
	char address[ADDR_TEXT_MAX];
	const char *name;
	size_t i;

	(void)fprintf(out,
		"{\"version\":\"%s\",\"pid\":%d,\"state\":\"%s\","
		"\"generation\":%" PRIu64 ",\"workers\":%zu,"
		"\"leaving_workers\":%zu,\"connections\":%" PRIu64
		",\"listeners\":[",
		PACKAGE_VERSION, (int)getpid(), state_name(status),
		generation(status), workers_count(status->workers),
		workers_leaving(status->workers),
		workers_connections(status->workers));
	for (i = 0; socket_at(status, i, &name, address); i++) {
		(void)fputs(i == 0 ? "{\"name\":" : ",{\"name\":", out);
		put_json_text(name, out);
		(void)fputs(",\"address\":", out);
		put_json_text(address, out);
		(void)fputc('}', out);
	}
	(void)fputs("]}\n", out);
}
