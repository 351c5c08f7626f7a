#include "config.h"

#include "plan.h"

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
	"Says what warming up took (JSON), awaits a line, works (with "
	"--endless until\n"
	"another line), says what was done, awaits a line, ends.\n";

/* Options whose value is a number, by their place in this table. */
static const struct {
	const char *name;
	size_t offset;
	uint64_t min;
	uint64_t max;
} numbers[] = {
	{"port", offsetof(struct plan, port), 1, UINT16_MAX},
	{"ports", offsetof(struct plan, ports), 1, 20000},
	{"names", offsetof(struct plan, names), 1, 1000000},
	{"processes", offsetof(struct plan, processes), 1, TEAM_MAX},
	{"connections", offsetof(struct plan, connections), 1, 10000000},
	{"concurrency", offsetof(struct plan, concurrency), 1, 10000},
	{"warm-up", offsetof(struct plan, warm_up), 0, 1000000},
	{"exchanges", offsetof(struct plan, exchanges), 0, 10000000},
	{"upload", offsetof(struct plan, upload), ORDER_SIZE, INT64_MAX},
	{"download", offsetof(struct plan, download), ORDER_SIZE, INT64_MAX},
	{"interval", offsetof(struct plan, interval_us), 0, 60000000},
	{"limit", offsetof(struct plan, limit_s), 1, 3600},
};
#define N_NUMBERS (sizeof numbers / sizeof *numbers)

/* The others, behind them. */
enum word {
	WORD_TLS = N_NUMBERS,
	WORD_CERT,
	WORD_KEY,
	WORD_RESUME,
	WORD_STEADY,
	WORD_ENDLESS,
	WORD_END
};

static const struct option words[] = {
	{"tls", required_argument, NULL, WORD_TLS},
	{"cert", required_argument, NULL, WORD_CERT},
	{"key", required_argument, NULL, WORD_KEY},
	{"resume", no_argument, NULL, WORD_RESUME},
	{"steady", no_argument, NULL, WORD_STEADY},
	{"endless", no_argument, NULL, WORD_ENDLESS},
};

static _Noreturn void
refuse(void)
{
	(void)fputs(usage, stderr);
	exit(2);
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

static void
take_number(struct plan *plan, size_t row, const char *text)
{
	char *end;
	unsigned long long value = strtoull(text, &end, 10);
	uint64_t *field =
		(uint64_t *)(void *)((char *)plan + numbers[row].offset);

	if (end == text || *end != '\0' || *text == '-' ||
		value < numbers[row].min || value > numbers[row].max) {
		(void)fprintf(stderr, "load: --%s %s: wanted %ju to %ju\n",
			numbers[row].name, text, (uintmax_t)numbers[row].min,
			(uintmax_t)numbers[row].max);
		refuse();
	}
	*field = value;
}

static void
take_word(struct plan *plan, int word, const char *text)
{
	if (word == WORD_TLS)
		plan->version = version(text);
	else if (word == WORD_CERT)
		plan->cert = text;
	else if (word == WORD_KEY)
		plan->key = text;
	else if (word == WORD_RESUME)
		plan->resume = true;
	else if (word == WORD_STEADY)
		plan->shape = PLAN_STEADY;
	else if (word == WORD_ENDLESS)
		plan->endless = true;
	else
		refuse();
}

static void
parse_options(struct plan *plan, int argc, char **argv)
{
	struct option options[WORD_END + 1] = {0};
	int key;

	for (size_t i = 0; i < N_NUMBERS; i++)
		options[i] = (struct option){
			numbers[i].name, required_argument, NULL, (int)i};
	memcpy(options + N_NUMBERS, words, sizeof words);
	while ((key = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (key >= 0 && (size_t)key < N_NUMBERS)
			take_number(plan, (size_t)key, optarg);
		else
			take_word(plan, key, optarg);
	}
}

void
plan_parse(struct plan *plan, int argc, char **argv)
{
	*plan = (struct plan){
		.shape = PLAN_TURNOVER,
		.ports = 1,
		.version = TLS1_3_VERSION,
		.processes = 1,
		.connections = 100,
		.concurrency = 8,
		.warm_up = 8,
		.upload = 64,
		.download = 64,
		.limit_s = 60,
	};
	parse_options(plan, argc, argv);
	if (optind != argc || plan->port == 0 ||
		plan->port + plan->ports - 1 > UINT16_MAX ||
		(plan->cert == NULL) != (plan->key == NULL) ||
		plan->processes > plan->connections ||
		plan->processes > plan->concurrency)
		refuse();
}

size_t
plan_share(const struct plan *plan, uint64_t n, size_t member)
{
	return (size_t)(n / plan->processes +
			(member < n % plan->processes ? 1 : 0));
}
