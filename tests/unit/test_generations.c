#include "config.h"

#include "worker/generations.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/queue.h>
#include <netinet/in.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/addr.h"
#include "gateway.h"
#include "ipc/message.h"
#include "packed.h"
#include "proxy/listener.h"
#include "proxy/proxy.h"
#include "sockets.h"
#include "worker/conn_room.h"
#include "worker/generation.h"
#include "worker/generation_parts.h"

/* A gateway whose worker gets messages. */
struct scene {
	struct gateway *g;
	struct packed packed;
	struct conn_room room;
	struct generations all;
	int n_built; /* how often it was said, and what the last time */
	uint64_t number;
	bool ok;
	size_t n_errors;
};

static void
on_built(uint64_t number, bool ok, const struct report *report, void *arg)
{
	struct scene *scene = arg;

	scene->n_built++;
	scene->number = number;
	scene->ok = ok;
	scene->n_errors = report_errors(report);
}

/* With N server names, whose contexts are all different, and whose backend is
 * a host. */
static void
configure_names(struct gateway *g, int n)
{
	char lines[4096];
	size_t len = (size_t)snprintf(lines, sizeof lines,
		"certfile = gw.pem\nkeyfile = gw.key\n"
		"allow_remote_plaintext = yes\n");

	for (int i = 0; i < n; i++)
		len += (size_t)snprintf(lines + len, sizeof lines - len,
			"[server_name n%d]\nlistener = gw\n"
			"server_name = n%d.example\nbackend = db.example:5432\n"
			"session_timeout = %ds\n",
			i, i, i + 1);
	assert_true(len < sizeof lines);
	gateway_configure(g, lines);
}

static void
set_up(struct scene *scene, struct gateway *g)
{
	*scene = (struct scene){.g = g, .packed = packed_new(g)};
	conn_room_init(&scene->room, 10);
	gateway_open(g, 10);
	generations_init(&scene->all, g->proxy, &scene->room, on_built, scene);
}

static void
tear_down(struct scene *scene)
{
	generations_done(&scene->all);
	packed_done(&scene->packed);
}

/* Takes what M carries, as a channel would after it was sent. */
static void
tell(struct scene *scene, struct message *m)
{
	assert_true(generations_take(&scene->all, m));
	message_close_fds(m);
}

static void
tell_number(struct scene *scene, enum message_type type, uint64_t number)
{
	struct message m;

	message_init(&m, type);
	message_put_u64(&m, number);
	if (type == MESSAGE_COMMIT)
		message_put_u64(&m, 10);
	tell(scene, &m);
}

/* Generation NUMBER out of the bundle of PUBLIC_FD, with SOCKET (taken). */
static void
stage_from(struct scene *scene, uint64_t number, int public_fd, int socket)
{
	struct message m;

	message_init(&m, MESSAGE_STAGE);
	message_put_u64(&m, number);
	message_put_text(&m, scene->packed.path);
	message_put_fd(&m, dup(public_fd));
	message_put_fd(&m, dup(scene->packed.secret_fd));
	tell(scene, &m);
	message_init(&m, MESSAGE_SOCKET);
	message_put_u64(&m, number);
	message_put_text(&m, "gw");
	message_put_fd(&m, socket);
	tell(scene, &m);
	tell_number(scene, MESSAGE_STAGE_END, number);
}

static void
stage(struct scene *scene, uint64_t number, int socket)
{
	stage_from(scene, number, scene->packed.public_fd, socket);
}

static void
it_is_built_while_connections_are_served(void **state)
{
	struct scene scene;
	struct tls_client client;
	int turns = 0;

	set_up(&scene, *state);
	gateway_connect(scene.g, &client);
	packed_done(&scene.packed);
	configure_names(scene.g, 20);
	scene.packed = packed_new(scene.g);
	stage(&scene, 2, tcp_listen(&scene.g->port));
	assert_int_equal(scene.n_built, 0);
	/* What is ready is served in every turn; 20 contexts take several. */
	for (; scene.n_built == 0; turns++)
		gateway_turn(scene.g);
	assert_true(turns > 3);
	assert_true(scene.ok);
	assert_int_equal(scene.number, 2);
	assert_int_equal(scene.n_errors, 0);
	assert_null(scene.all.running);
	gateway_client_say(&client, "hello");
	gateway_backend_expect(scene.g, "hello");
	tls_client_done(&client);
	tear_down(&scene);
}

static void
tell_resolved(struct scene *scene)
{
	struct addr addr;
	struct message m;

	assert_int_equal(
		addr_parse("192.0.2.1:5432", ADDR_FOR_CONNECT, &addr, NULL), 0);
	message_init(&m, MESSAGE_RESOLVED);
	message_put_text(&m, "db.example");
	message_put_u16(&m, 5432);
	message_put_u32(&m, 1);
	message_put_bytes(&m, &addr.sa, sizeof(struct sockaddr_in));
	tell(scene, &m);
}

static size_t
addresses(const struct generation *generation)
{
	return generation->listeners[0]->overlays[0]->backend.n_addresses;
}

static void
news_of_a_host_reaches_what_runs_and_what_will(void **state)
{
	struct gateway *g = *state;
	struct scene scene;

	configure_names(g, 1);
	set_up(&scene, g);
	stage(&scene, 2, tcp_listen(&g->port));
	GATEWAY_WAIT(g, scene.n_built == 1);
	assert_int_equal(addresses(scene.all.staged), 0);
	tell_resolved(&scene);
	assert_int_equal(addresses(scene.all.staged), 1);
	tell_number(&scene, MESSAGE_COMMIT, 2);
	stage(&scene, 3, tcp_listen(&g->port));
	GATEWAY_WAIT(g, scene.n_built == 2);
	tell_number(&scene, MESSAGE_COMMIT, 3);
	assert_int_equal(addresses(scene.all.running), 0);
	tell_resolved(&scene);
	assert_int_equal(addresses(scene.all.running), 1);
	tear_down(&scene);
}

/* What is left of a build is freed later, whatever comes meanwhile. */
static void
leftovers_are_in_nobodys_way(void **state)
{
	struct gateway *g = *state;
	struct scene scene;

	set_up(&scene, g);
	for (uint64_t n = 2; n < 6; n++) {
		stage(&scene, n, tcp_listen(&g->port));
		while (scene.n_built == 0)
			background_run(&g->proxy->background, 0);
		scene.n_built = 0;
		assert_false(background_is_empty(&g->proxy->background));
		tell_number(&scene, MESSAGE_ABORT, n - 1);
		tell_number(
			&scene, n % 2 == 0 ? MESSAGE_ABORT : MESSAGE_COMMIT, n);
	}
	assert_int_equal(generation_number(scene.all.running), 5);
	background_finish(&g->proxy->background);
	assert_int_equal(scene.n_built, 0);
	tear_down(&scene);
}

static void
what_is_committed_runs(void **state)
{
	struct scene scene;
	struct tls_client client;
	int socket;

	set_up(&scene, *state);
	socket = tcp_listen(&scene.g->port);
	stage(&scene, 2, socket);
	/* Not yet, and not another one. */
	tell_number(&scene, MESSAGE_COMMIT, 2);
	assert_null(scene.all.running);
	GATEWAY_WAIT(scene.g, scene.n_built == 1);
	tell_number(&scene, MESSAGE_COMMIT, 3);
	assert_null(scene.all.running);
	tell_number(&scene, MESSAGE_COMMIT, 2);
	assert_non_null(scene.all.running);
	gateway_dial(scene.g, &client, NULL);
	GATEWAY_WAIT(scene.g, gateway_count(scene.g, STATS_ACCEPTED) == 1);
	tls_client_done(&client);
	tear_down(&scene);
	assert_false(is_open(socket));
}

static void
one_that_is_aborted_is_not_built(void **state)
{
	struct scene scene;
	int socket;

	set_up(&scene, *state);
	socket = tcp_listen(&scene.g->port);
	stage(&scene, 2, socket);
	tell_number(&scene, MESSAGE_ABORT, 1);
	assert_true(is_open(socket));
	tell_number(&scene, MESSAGE_ABORT, 2);
	assert_false(is_open(socket));
	GATEWAY_WAIT(scene.g, background_is_empty(&scene.g->proxy->background));
	assert_int_equal(scene.n_built, 0);
	tear_down(&scene);
}

static void
one_that_was_built_can_be_aborted(void **state)
{
	struct scene scene;
	int socket;

	set_up(&scene, *state);
	socket = tcp_listen(&scene.g->port);
	stage(&scene, 2, socket);
	GATEWAY_WAIT(scene.g, scene.n_built == 1);
	tell_number(&scene, MESSAGE_ABORT, 2);
	assert_null(scene.all.staged);
	assert_false(is_open(socket));
	tear_down(&scene);
}

static void
the_next_takes_the_place_of_one_in_the_making(void **state)
{
	struct scene scene;
	int first;

	set_up(&scene, *state);
	first = tcp_listen(&scene.g->port);
	stage(&scene, 2, first);
	gateway_turn(scene.g);
	stage(&scene, 3, tcp_listen(&scene.g->port));
	assert_false(is_open(first));
	GATEWAY_WAIT(scene.g, scene.n_built == 1);
	assert_int_equal(scene.number, 3);
	assert_true(scene.ok);
	tear_down(&scene);
}

static void
a_bundle_that_is_none_is_answered_for(void **state)
{
	struct scene scene;
	int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);

	set_up(&scene, *state);
	stage_from(&scene, 2, nothing, tcp_listen(&scene.g->port));
	GATEWAY_WAIT(scene.g, scene.n_built == 1);
	assert_false(scene.ok);
	assert_int_equal(scene.number, 2);
	assert_int_equal(scene.n_errors, 1);
	assert_null(scene.all.staged);
	GATEWAY_WAIT(scene.g, background_is_empty(&scene.g->proxy->background));
	assert_int_equal(scene.n_built, 1);
	assert_int_equal(close(nothing), 0);
	tear_down(&scene);
}

static void
once_stopped_it_lets_nobody_in(void **state)
{
	struct scene scene;

	set_up(&scene, *state);
	listener_stop(scene.g->listener);
	generations_stop(&scene.all);
	stage(&scene, 2, tcp_listen(&scene.g->port));
	GATEWAY_WAIT(scene.g, scene.n_built == 1);
	tell_number(&scene, MESSAGE_COMMIT, 2);
	assert_non_null(scene.all.running);
	assert_true(TAILQ_EMPTY(&scene.g->proxy->listeners));
	tear_down(&scene);
}

static void
other_messages_are_not_for_it(void **state)
{
	struct scene scene;
	struct message m;

	set_up(&scene, *state);
	message_init(&m, MESSAGE_PING);
	assert_false(generations_take(&scene.all, &m));
	tear_down(&scene);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, gateway_setup, gateway_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_is_built_while_connections_are_served),
		TEST(news_of_a_host_reaches_what_runs_and_what_will),
		TEST(leftovers_are_in_nobodys_way),
		TEST(what_is_committed_runs),
		TEST(one_that_is_aborted_is_not_built),
		TEST(one_that_was_built_can_be_aborted),
		TEST(the_next_takes_the_place_of_one_in_the_making),
		TEST(a_bundle_that_is_none_is_answered_for),
		TEST(once_stopped_it_lets_nobody_in),
		TEST(other_messages_are_not_for_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
