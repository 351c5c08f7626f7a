#include "config.h"

#include "supervisor/worker_slot.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>

#include "base/clock.h"
#include "ipc/channel.h"
#include "sockets.h"
#include "stats/stats.h"
#include "supervisor/bundle.h"
#include "supervisor/child.h"
#include "supervisor/handover.h"
#include "tls_fixture.h"

/* A slot whose worker is this test, and a process that only has to be there. */
struct scene {
	struct fixture *it;
	struct event_base *base;
	struct event *tick;
	struct worker_slot *slot;
	struct channel *worker;
	pid_t pid;
	uint64_t committed; /* what the worker was told to serve last */
	int n_staged;       /* how often on_staged came, and of what */
	uint64_t staged;
	bool ok;
};

static void
on_message(struct message *m, void *arg)
{
	struct scene *scene = arg;

	if (m->type == MESSAGE_COMMIT)
		scene->committed = message_get_u64(m);
}

static void
on_closed(void *arg)
{
	(void)arg;
}

static void
on_ready(struct worker_slot *slot, void *arg)
{
	(void)slot;
	(void)arg;
}

static void
on_staged(struct worker_slot *slot, uint64_t number, bool ok,
	const struct report *report, void *arg)
{
	struct scene *scene = arg;

	assert_ptr_equal(slot, scene->slot);
	assert_non_null(report);
	scene->n_staged++;
	scene->staged = number;
	scene->ok = ok;
}

static void
on_exit_of(struct worker_slot *slot, bool died, void *arg)
{
	struct scene *scene = arg;

	(void)died;
	worker_slot_free(&slot);
	scene->slot = NULL;
}

static void
on_vacant(struct worker_slot *slot, void *arg)
{
	(void)slot;
	(void)arg;
}

static void
on_tick(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

static pid_t
somebody(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		for (;;)
			(void)pause();
	return pid;
}

static int
set_up(void **state)
{
	static struct scene scene;
	static const struct worker_slot_callbacks callbacks = {
		on_ready, on_staged, on_exit_of, on_vacant};
	const struct timeval often = {.tv_usec = 1000};
	struct handover_worker worker = {0};
	struct cert cert;
	void *it;
	int fds[2];

	assert_int_equal(fixture_setup(&it), 0);
	scene = (struct scene){.it = it, .base = event_base_new()};
	cert = cert_make_server("localhost", NULL);
	fixture_write_cert(it, "gw", &cert);
	cert_done(&cert);
	scene.tick = event_new(scene.base, -1, EV_PERSIST, on_tick, NULL);
	assert_int_equal(event_add(scene.tick, &often), 0);
	assert_int_equal(channel_pair(fds, NULL), 0);
	scene.pid = somebody();
	worker.pid = scene.pid;
	worker.channel_fd = fds[0];
	worker.stats_fd = stats_create_fd(NULL);
	scene.worker = channel_new(
		scene.base, fds[1], on_message, on_closed, &scene, NULL);
	scene.slot = worker_slot_adopt(
		scene.base, &worker, false, &callbacks, &scene);
	assert_non_null(scene.worker);
	assert_non_null(scene.slot);
	*state = &scene;
	return 0;
}

static void
turn(struct scene *scene)
{
	assert_int_equal(event_base_loop(scene->base, EVLOOP_ONCE), 0);
}

static int
tear_down(void **state)
{
	struct scene *scene = *state;
	void *it = scene->it;

	worker_slot_drain(scene->slot, 0);
	assert_int_equal(kill(scene->pid, SIGKILL), 0);
	while (scene->slot != NULL)
		child_reap_all();
	channel_free(&scene->worker);
	event_free(scene->tick);
	event_base_free(scene->base);
	return fixture_teardown(&it);
}

static struct bundle *
bundle(struct scene *scene, uint64_t number)
{
	static const uint8_t secret[TICKET_SECRET_SIZE] = {1};
	char path[512];
	struct bundle *made;

	fixture_write(scene->it, "sallyport.ini",
		"[listener gw]\nlisten = 127.0.0.1:0\n"
		"backend = 127.0.0.1:9\ncertfile = gw.pem\nkeyfile = gw.key\n");
	(void)snprintf(path, sizeof path, "%s/sallyport.ini", scene->it->dir);
	made = bundle_load(path, number, secret, scene->it->report, NULL);
	assert_non_null(made);
	return made;
}

static void
stage(struct scene *scene, uint64_t number)
{
	struct bundle *made = bundle(scene, number);

	worker_slot_stage(scene->slot, made, false);
	bundle_free(&made);
}

/* What the worker says of generation NUMBER. */
static void
answer(struct scene *scene, uint64_t number, bool ok)
{
	struct report *report = report_new();
	int fd = report_to_fd(report, NULL);
	struct message m;

	message_init(&m, MESSAGE_STAGED);
	message_put_u64(&m, number);
	message_put_u8(&m, ok);
	message_put_fd(&m, fd);
	assert_int_equal(channel_send(scene->worker, &m), 0);
	(void)close(fd);
	report_free(&report);
}

/* All that either side has sent so far. */
static void
settle(struct scene *scene)
{
	for (int i = 0; i < 20; i++)
		turn(scene);
}

static void
await_staged(struct scene *scene)
{
	uint64_t end_ms = clock_monotonic_ms() + SOCKETS_DEADLINE_MS;
	int before = scene->n_staged;

	while (scene->n_staged == before) {
		assert_true(clock_monotonic_ms() < end_ms);
		turn(scene);
	}
}

static void
what_was_built_is_committed(void **state)
{
	struct scene *scene = *state;

	stage(scene, 5);
	worker_slot_commit(scene->slot, 5, 0);
	assert_int_equal(worker_slot_committed(scene->slot), 0);
	answer(scene, 5, true);
	await_staged(scene);
	assert_int_equal(scene->staged, 5);
	assert_true(scene->ok);
	assert_int_equal(worker_slot_answered(scene->slot), 5);
	assert_false(worker_slot_is_stale(scene->slot, 5));
	worker_slot_commit(scene->slot, 5, 0);
	settle(scene);
	assert_int_equal(worker_slot_committed(scene->slot), 5);
	assert_int_equal(scene->committed, 5);
}

static void
what_could_not_be_built_is_stale(void **state)
{
	struct scene *scene = *state;

	stage(scene, 5);
	answer(scene, 5, false);
	await_staged(scene);
	assert_false(scene->ok);
	assert_true(worker_slot_is_stale(scene->slot, 5));
	worker_slot_commit(scene->slot, 5, 0);
	settle(scene);
	assert_int_equal(scene->committed, 0);
}

/* The worker has dropped the one for the other: to commit it would say that the
 * worker serves something, and it would serve nothing. */
static void
an_answer_that_crosses_the_next_generation_is_none(void **state)
{
	struct scene *scene = *state;

	stage(scene, 5);
	answer(scene, 5, true);
	stage(scene, 6);
	settle(scene);
	assert_int_equal(scene->n_staged, 0);
	worker_slot_commit(scene->slot, 5, 0);
	settle(scene);
	assert_int_equal(worker_slot_committed(scene->slot), 0);
	assert_int_equal(scene->committed, 0);
	/* Whoever then takes back the next one gives it the first again. */
	worker_slot_abort(scene->slot, 6);
	stage(scene, 5);
	answer(scene, 5, true);
	await_staged(scene);
	worker_slot_commit(scene->slot, 5, 0);
	settle(scene);
	assert_int_equal(worker_slot_committed(scene->slot), 5);
	assert_int_equal(scene->committed, 5);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_built_is_committed),
		TEST(what_could_not_be_built_is_stale),
		TEST(an_answer_that_crosses_the_next_generation_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
