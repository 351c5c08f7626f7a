#include "config.h"

#include "plan.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ssl.h>

#include "order.h"
#include "team.h"

static const char usage[] =
	"usage: load --port N [option]...\n"
	"  --port N         where the proxy listens, on 127.0.0.1\n"
	"  --ports N        that many in a row, taken in turn (1)\n"
	"  --names N        server names n0.bench.example ..., in turn\n"
	"  --tls 1.2|1.3    the only protocol offered (1.3)\n"
	"  --cert F --key F the client's certificate\n"
	"  --resume         take up sessions\n"
	"  --steady         open all connections, then make exchanges on them;\n"
	"                   else each makes one exchange and closes\n"
	"  --connections N  in all (100)\n"
	"  --concurrency N  in progress at once (8)\n"
	"  --warm-up N      connections that do not count (8)\n"
	"  --exchanges N    of each steady connection (0)\n"
	"  --upload N       bytes of an exchange (64)\n"
	"  --download N     (64)\n"
	"  --interval N     microseconds between exchanges (0)\n"
	"  --endless        new connections until told to end\n"
	"  --processes N    that share the connections (1)\n"
	"  --limit N        seconds after which it fails (60)\n"
	"Says \"ready\", awaits a line, works, says what was done (JSON), awaits\n"
	"a line, ends. With --endless the second line is awaited first.\n";

enum option_key {
	OPT_PORT,
	OPT_PORTS,
	OPT_NAMES,
	OPT_TLS,
	OPT_CERT,
	OPT_KEY,
	OPT_RESUME,
	OPT_STEADY,
	OPT_CONNECTIONS,
	OPT_CONCURRENCY,
	OPT_WARM_UP,
	OPT_EXCHANGES,
	OPT_UPLOAD,
	OPT_DOWNLOAD,
	OPT_INTERVAL,
	OPT_ENDLESS,
	OPT_PROCESSES,
	OPT_LIMIT
};

static const struct option options[] = {
	{"port", required_argument, NULL, OPT_PORT},
	{"ports", required_argument, NULL, OPT_PORTS},
	{"names", required_argument, NULL, OPT_NAMES},
	{"tls", required_argument, NULL, OPT_TLS},
	{"cert", required_argument, NULL, OPT_CERT},
	{"key", required_argument, NULL, OPT_KEY},
	{"resume", no_argument, NULL, OPT_RESUME},
	{"steady", no_argument, NULL, OPT_STEADY},
	{"connections", required_argument, NULL, OPT_CONNECTIONS},
	{"concurrency", required_argument, NULL, OPT_CONCURRENCY},
	{"warm-up", required_argument, NULL, OPT_WARM_UP},
	{"exchanges", required_argument, NULL, OPT_EXCHANGES},
	{"upload", required_argument, NULL, OPT_UPLOAD},
	{"download", required_argument, NULL, OPT_DOWNLOAD},
	{"interval", required_argument, NULL, OPT_INTERVAL},
	{"endless", no_argument, NULL, OPT_ENDLESS},
	{"processes", required_argument, NULL, OPT_PROCESSES},
	{"limit", required_argument, NULL, OPT_LIMIT},
	{NULL, 0, NULL, 0},
};

static _Noreturn void
refuse(void)
{
	(void)fputs(usage, stderr);
	exit(2);
}

static uint64_t
number(const char *text, uint64_t min, uint64_t max)
{
	char *end;
	unsigned long long value = strtoull(text, &end, 10);

	if (end == text || *end != '\0' || *text == '-' || value < min ||
		value > max) {
		(void)fprintf(
			stderr, "load: \"%s\": not a number I can use\n", text);
		refuse();
	}
	return value;
}

static int
version(const char *text)
{
	if (strcmp(text, "1.2") == 0)
		return TLS1_2_VERSION;
	if (strcmp(text, "1.3") == 0)
		return TLS1_3_VERSION;
	refuse();
}

/* The options that say with whom, and how, to speak. */
static void
take_peer(struct plan *plan, enum option_key key, const char *value)
{
	if (key == OPT_PORT)
		plan->target.sin_port =
			htons((uint16_t)number(value, 1, UINT16_MAX));
	else if (key == OPT_PORTS)
		plan->targets = (unsigned)number(value, 1, 20000);
	else if (key == OPT_NAMES)
		plan->names = (unsigned)number(value, 1, 1000000);
	else if (key == OPT_TLS)
		plan->version = version(value);
	else if (key == OPT_CERT)
		plan->cert = value;
	else if (key == OPT_KEY)
		plan->key = value;
	else
		plan->resume = true;
}

static void
take(struct plan *plan, enum option_key key, const char *value)
{
	switch (key) {
	case OPT_PORT:
	case OPT_PORTS:
	case OPT_NAMES:
	case OPT_TLS:
	case OPT_CERT:
	case OPT_KEY:
	case OPT_RESUME:
		take_peer(plan, key, value);
		return;
	case OPT_STEADY:
		plan->shape = PLAN_STEADY;
		return;
	case OPT_CONNECTIONS:
		plan->connections = number(value, 1, 10000000);
		return;
	case OPT_CONCURRENCY:
		plan->concurrency = number(value, 1, 10000);
		return;
	case OPT_WARM_UP:
		plan->warm_up = number(value, 0, 1000000);
		return;
	case OPT_EXCHANGES:
		plan->exchanges = number(value, 0, 10000000);
		return;
	case OPT_UPLOAD:
		plan->upload = number(value, ORDER_SIZE, UINT64_MAX);
		return;
	case OPT_DOWNLOAD:
		plan->download = number(value, ORDER_SIZE, UINT64_MAX);
		return;
	case OPT_INTERVAL:
		plan->interval_us = number(value, 0, 60000000);
		return;
	case OPT_ENDLESS:
		plan->endless = true;
		return;
	case OPT_PROCESSES:
		plan->processes = number(value, 1, TEAM_MAX);
		return;
	case OPT_LIMIT:
		plan->limit_s = (unsigned)number(value, 1, 3600);
		return;
	}
	refuse();
}

void
plan_parse(struct plan *plan, int argc, char **argv)
{
	int key;

	*plan = (struct plan){
		.shape = PLAN_TURNOVER,
		.target = {.sin_family = AF_INET,
			.sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
		.targets = 1,
		.version = TLS1_3_VERSION,
		.processes = 1,
		.connections = 100,
		.concurrency = 8,
		.warm_up = 8,
		.upload = 64,
		.download = 64,
		.limit_s = 60,
	};
	while ((key = getopt_long(argc, argv, "", options, NULL)) != -1)
		take(plan, (enum option_key)key, optarg);
	if (optind != argc || plan->target.sin_port == 0 ||
		(plan->cert == NULL) != (plan->key == NULL))
		refuse();
}

size_t
plan_share(const struct plan *plan, size_t n, size_t member)
{
	return n / plan->processes + (member < n % plan->processes ? 1 : 0);
}
