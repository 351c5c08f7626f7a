#include "config.h"

#include "resolver/resolver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/addr.h"
#include "base/error.h"
#include "base/log.h"
#include "ipc/channel.h"

#define DEADLINE_MS 20000

/* A resolver process, and our end of its channel. */
struct fixture {
	pid_t pid; /* 0 once it has been waited for */
	int fd;    /* -1 once closed */
};

/* One answer, taken apart. */
struct answer {
	char host[ADDR_NAME_MAX + 1];
	uint16_t port;
	uint32_t n;
	struct addr addrs[MESSAGE_RESOLVED_MAX];
	char error[ERROR_TEXT_MAX];
};

static void
run_child(int fd)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	/* Some tests make it complain. */
	(void)dup2(null, STDERR_FILENO);
	log_open("resolver", LOG_FORMAT_TEXT, LOG_LEVEL_NOTICE);
	_exit(resolver_main(fd, true));
}

static void
receive(const struct fixture *f, struct message *m)
{
	struct pollfd p = {.fd = f->fd, .events = POLLIN};
	uint8_t wire[MESSAGE_WIRE_MAX];
	ssize_t len;

	assert_int_equal(poll(&p, 1, DEADLINE_MS), 1);
	len = recv(f->fd, wire, sizeof wire, 0);
	assert_true(len > 0);
	assert_true(message_decode(m, wire, (size_t)len));
}

static void
send_message(const struct fixture *f, const struct message *m)
{
	uint8_t wire[MESSAGE_WIRE_MAX];
	size_t len = message_encode(m, wire, sizeof wire);

	assert_int_equal(send(f->fd, wire, len, 0), len);
}

static void
ask(const struct fixture *f, const char *host, uint16_t port)
{
	struct message m;

	message_init(&m, MESSAGE_RESOLVE);
	message_put_text(&m, host);
	message_put_u16(&m, port);
	send_message(f, &m);
}

static void
receive_answer(const struct fixture *f, struct answer *answer)
{
	struct message m;

	receive(f, &m);
	assert_int_equal(m.type, MESSAGE_RESOLVED);
	message_get_text(&m, answer->host, sizeof answer->host);
	answer->port = message_get_u16(&m);
	answer->n = message_get_u32(&m);
	assert_true(answer->n <= MESSAGE_RESOLVED_MAX);
	for (uint32_t i = 0; i < answer->n; i++) {
		struct sockaddr_storage sa = {0};
		size_t len = message_get_bytes(&m, &sa, sizeof sa);

		addr_from_sockaddr((struct sockaddr *)&sa, (socklen_t)len,
			&answer->addrs[i]);
	}
	message_get_text(&m, answer->error, sizeof answer->error);
	assert_true(message_is_done(&m));
}

/* The status that the child ends with of itself. */
static int
wait_for_exit(struct fixture *f)
{
	int status = -1;

	/* It has closed its end, or is about to: no need for a clock. */
	assert_int_equal(waitpid(f->pid, &status, 0), f->pid);
	f->pid = 0;
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int
set_up(void **state)
{
	static struct fixture f;
	struct message m;
	int fds[2];

	assert_int_equal(channel_pair(fds, NULL), 0);
	f.pid = fork();
	assert_true(f.pid >= 0);
	if (f.pid == 0) {
		(void)close(fds[0]);
		run_child(fds[1]);
	}
	assert_int_equal(close(fds[1]), 0);
	f.fd = fds[0];
	receive(&f, &m);
	assert_int_equal(m.type, MESSAGE_READY);
	assert_true(message_is_done(&m));
	*state = &f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	if (f->fd != -1)
		assert_int_equal(close(f->fd), 0);
	if (f->pid != 0) {
		assert_int_equal(kill(f->pid, SIGKILL), 0);
		assert_int_equal(waitpid(f->pid, NULL, 0), f->pid);
	}
	return 0;
}

/* Does /etc/hosts know it? Smaller systems come without the file, and then
 * the answer is up to a name server. */
static bool
has_localhost(void)
{
	FILE *file = fopen("/etc/hosts", "re");
	char line[256];
	bool found = false;

	while (file != NULL && fgets(line, sizeof line, file) != NULL)
		found |= line[0] != '#' && strstr(line, "localhost") != NULL;
	if (file != NULL)
		assert_int_equal(fclose(file), 0);
	return found;
}

static void
localhost_is_answered_with_local_addresses(void **state)
{
	const struct fixture *f = *state;
	struct answer answer;

	if (!has_localhost())
		skip();
	ask(f, "localhost", 8080);
	receive_answer(f, &answer);
	assert_string_equal(answer.host, "localhost");
	assert_int_equal(answer.port, 8080);
	assert_true(answer.n > 0);
	for (uint32_t i = 0; i < answer.n; i++) {
		assert_true(addr_is_local(&answer.addrs[i]));
		assert_int_equal(answer.addrs[i].port, 8080);
	}
	assert_string_equal(answer.error, "");
}

static void
a_name_that_does_not_exist_is_answered_with_an_error(void **state)
{
	const struct fixture *f = *state;
	struct answer answer;

	ask(f, "does-not-exist.invalid", 80);
	receive_answer(f, &answer);
	assert_string_equal(answer.host, "does-not-exist.invalid");
	assert_int_equal(answer.n, 0);
	assert_non_null(strstr(
		answer.error, "cannot resolve \"does-not-exist.invalid\": "));
}

static void
questions_are_answered_in_order(void **state)
{
	const struct fixture *f = *state;
	struct answer answer;

	for (uint16_t port = 1; port <= 50; port++)
		ask(f, "127.0.0.1", port);
	for (uint16_t port = 1; port <= 50; port++) {
		receive_answer(f, &answer);
		assert_int_equal(answer.port, port);
		assert_int_equal(answer.n, 1);
		assert_int_equal(answer.addrs[0].port, port);
	}
}

static void
the_longest_name_is_still_answered(void **state)
{
	const struct fixture *f = *state;
	struct answer answer;
	char host[ADDR_NAME_MAX + 1];

	memset(host, 'x', ADDR_NAME_MAX);
	host[ADDR_NAME_MAX] = '\0';
	ask(f, host, 80);
	receive_answer(f, &answer);
	assert_string_equal(answer.host, host);
	assert_int_equal(answer.n, 0);
	assert_string_not_equal(answer.error, "");
}

static void
the_end_of_the_channel_is_the_end_of_the_process(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(close(f->fd), 0);
	f->fd = -1;
	assert_int_equal(wait_for_exit(f), 0);
}

static void
signals_of_a_terminal_do_not_end_it(void **state)
{
	struct fixture *f = *state;
	struct answer answer;

	assert_int_equal(kill(f->pid, SIGINT), 0);
	assert_int_equal(kill(f->pid, SIGHUP), 0);
	ask(f, "127.0.0.1", 80);
	receive_answer(f, &answer);
	assert_int_equal(answer.n, 1);
}

static void
a_message_of_another_type_ends_it(void **state)
{
	struct fixture *f = *state;
	struct message m;

	message_init(&m, MESSAGE_COMMIT);
	message_put_u64(&m, 1);
	send_message(f, &m);
	assert_int_equal(wait_for_exit(f), 1);
}

static void
a_broken_question_ends_it(void **state)
{
	struct fixture *f = *state;
	struct message m;

	message_init(&m, MESSAGE_RESOLVE);
	message_put_text(&m, "localhost"); /* and no port */
	send_message(f, &m);
	assert_int_equal(wait_for_exit(f), 1);
}

static void
a_question_with_more_than_it_should_have_ends_it(void **state)
{
	struct fixture *f = *state;
	struct message m;

	message_init(&m, MESSAGE_RESOLVE);
	message_put_text(&m, "localhost");
	message_put_u16(&m, 80);
	message_put_u8(&m, 1);
	send_message(f, &m);
	assert_int_equal(wait_for_exit(f), 1);
}

static void
a_descriptor_that_is_none_ends_it_at_once(void **state)
{
	struct fixture f = {.pid = fork(), .fd = -1};

	(void)state;
	assert_true(f.pid >= 0);
	if (f.pid == 0)
		run_child(-1);
	assert_int_equal(wait_for_exit(&f), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(localhost_is_answered_with_local_addresses),
		TEST(a_name_that_does_not_exist_is_answered_with_an_error),
		TEST(questions_are_answered_in_order),
		TEST(the_longest_name_is_still_answered),
		TEST(the_end_of_the_channel_is_the_end_of_the_process),
		TEST(signals_of_a_terminal_do_not_end_it),
		TEST(a_message_of_another_type_ends_it),
		TEST(a_broken_question_ends_it),
		TEST(a_question_with_more_than_it_should_have_ends_it),
		cmocka_unit_test(a_descriptor_that_is_none_ends_it_at_once),
	};

	/* Without a network: fail soon. */
	(void)setenv("RES_OPTIONS", "timeout:1 attempts:1", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
