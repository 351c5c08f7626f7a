/* The load generator: clients in some processes, and what they all saw. */

#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "driver.h"
#include "driver_results.h"
#include "plan.h"
#include "tally.h"
#include "team.h"

#define SAMPLES_MAX ((size_t)1 << 20)

struct load {
	struct plan plan;
	struct driver_results *results; /* of each process, shared */
	struct tally *tallies;
	size_t samples_max; /* of each process */
};

static int
run_member(size_t number, int control, void *arg)
{
	struct load *load = arg;

	(void)alarm((unsigned)load->plan.limit_s);
	return driver_run(&load->plan, number, control, &load->results[number]);
}

static void
share_memory(struct load *load)
{
	size_t n = load->plan.processes;

	load->samples_max = SAMPLES_MAX / n;
	load->results = team_memory(n * sizeof *load->results);
	load->tallies = team_memory(n * sizeof *load->tallies);
	for (size_t i = 0; i < n; i++) {
		load->results[i].tally = &load->tallies[i];
		load->results[i].samples_max = load->samples_max;
		load->results[i].samples = team_memory(
			load->samples_max * sizeof *load->results->samples);
	}
}

static int
compare_samples(const void *a, const void *b)
{
	const uint32_t *left = a;
	const uint32_t *right = b;

	return (*left > *right) - (*left < *right);
}

/* The value that PERMILLE of the sorted samples do not exceed. */
static uint32_t
percentile(const uint32_t *samples, size_t n, size_t permille)
{
	size_t rank = (n * permille + 999) / 1000;

	return n == 0 ? 0 : samples[rank == 0 ? 0 : rank - 1];
}

static void
print_latency(const struct load *load)
{
	uint32_t *all = xcalloc(SAMPLES_MAX, sizeof *all);
	size_t n = 0;

	for (size_t i = 0; i < load->plan.processes; i++) {
		const struct driver_results *one = &load->results[i];
		size_t kept = one->n_samples < one->samples_max
				      ? one->n_samples
				      : one->samples_max;

		memcpy(all + n, one->samples, kept * sizeof *all);
		n += kept;
	}
	qsort(all, n, sizeof *all, compare_samples);
	printf("\"samples\": %zu, \"p50_us\": %u, \"p99_us\": %u, "
	       "\"p999_us\": %u, \"max_us\": %u",
		n, percentile(all, n, 500), percentile(all, n, 990),
		percentile(all, n, 999), percentile(all, n, 1000));
	free(all);
}

static void
print_results(const struct load *load, const struct tally *before, double s)
{
	struct tally now = tally_sum(load->tallies, load->plan.processes);
	const struct driver_results *first = &load->results[0];

	now.connections -= before->connections;
	now.exchanges -= before->exchanges;
	now.sent -= before->sent;
	now.received -= before->received;
	now.resumed -= before->resumed;
	now.tickets -= before->tickets;
	printf("{");
	tally_print(&now);
	printf(", \"seconds\": %.6f, \"cipher\": \"%s\", \"group\": \"%s\", "
	       "\"signature\": \"%s\", ",
		s, first->cipher, first->group, first->signature);
	print_latency(load);
	printf("}\n");
	(void)fflush(stdout);
}

static void
await_line(void)
{
	char line[64];

	/* The end of stdin is as good as a word: then nobody listens. */
	(void)!fgets(line, sizeof line, stdin);
}

static int
work(struct load *load, struct team *team)
{
	struct tally before;
	uint64_t began_us;

	if (team_await(team, DRIVER_READY) < 0)
		return -1;
	before = tally_sum(load->tallies, load->plan.processes);
	printf("{");
	tally_print(&before);
	printf("}\n");
	(void)fflush(stdout);
	await_line();
	began_us = clock_monotonic_us();
	team_tell(team, DRIVER_GO);
	if (load->plan.endless) {
		await_line();
		team_tell(team, DRIVER_END);
	}
	if (team_await(team, DRIVER_DONE) < 0)
		return -1;
	print_results(
		load, &before, (double)(clock_monotonic_us() - began_us) / 1e6);
	await_line();
	team_tell(team, DRIVER_END);
	return 0;
}

int
main(int argc, char **argv)
{
	struct load load;
	struct team *team;

	plan_parse(&load.plan, argc, argv);
	(void)signal(SIGPIPE, SIG_IGN);
	share_memory(&load);
	(void)alarm((unsigned)load.plan.limit_s);
	team = team_start(load.plan.processes, run_member, &load);
	if (work(&load, team) < 0) {
		team_kill(&team);
		return EXIT_FAILURE;
	}
	return team_finish(&team) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
