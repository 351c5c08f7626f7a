/* A service manager for tests. */
#include "config.h"

#include "service_manager.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* Where systemd puts the first one: SD_LISTEN_FDS_START. */
#define FIRST_FD 3

#define DEADLINE_S 10

/* Messages that nobody has asked for yet. */
#define QUEUE_MAX 64

/* Ends the thread; ends what a test expects. */
#define STOP "STOP=1"
#define MARK "MARK=1"

struct letter {
	char text[1024];
	int fd;
};

struct manager {
	int fd;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t news;
	struct letter queue[QUEUE_MAX];
	size_t n, at;
};

static struct manager the_manager;

static void
receive(const struct manager *manager, struct letter *letter)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = {
		.iov_base = letter->text, .iov_len = sizeof letter->text - 1};
	struct msghdr header = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof control.bytes};
	ssize_t got = recvmsg(manager->fd, &header, MSG_CMSG_CLOEXEC);
	struct cmsghdr *c;

	letter->text[got < 0 ? 0 : got] = '\0';
	letter->fd = -1;
	c = got < 0 ? NULL : CMSG_FIRSTHDR(&header);
	if (c != NULL && c->cmsg_type == SCM_RIGHTS)
		memcpy(&letter->fd, CMSG_DATA(c), sizeof letter->fd);
}

static void *
serve(void *arg)
{
	struct manager *manager = arg;
	struct letter letter;

	for (;;) {
		receive(manager, &letter);
		if (strcmp(letter.text, STOP) == 0)
			return NULL;
		if (strcmp(letter.text, "BARRIER=1") == 0) {
			(void)close(letter.fd);
			continue;
		}
		(void)pthread_mutex_lock(&manager->lock);
		if (manager->n == QUEUE_MAX)
			abort();
		manager->queue[manager->n++] = letter;
		(void)pthread_cond_signal(&manager->news);
		(void)pthread_mutex_unlock(&manager->lock);
	}
}

int
manager_start(void **state)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	socklen_t len = sizeof sun;
	char path[sizeof sun.sun_path + 1] = "";
	struct manager *manager = &the_manager;

	/* The kernel chooses an abstract name. */
	manager->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(manager->fd, (const struct sockaddr *)&sun,
				 sizeof sun.sun_family),
		0);
	assert_int_equal(
		getsockname(manager->fd, (struct sockaddr *)&sun, &len), 0);
	memcpy(path, sun.sun_path,
		len - offsetof(struct sockaddr_un, sun_path));
	path[0] = '@';
	assert_int_equal(setenv("NOTIFY_SOCKET", path, 1), 0);
	assert_int_equal(unsetenv("FDSTORE"), 0);
	manager->n = manager->at = 0;
	(void)pthread_mutex_init(&manager->lock, NULL);
	(void)pthread_cond_init(&manager->news, NULL);
	assert_int_equal(
		pthread_create(&manager->thread, NULL, serve, manager), 0);
	*state = manager;
	return 0;
}

/* Not by systemd_notify(), which may be a no-op. */
static void
send_to(const struct manager *manager, const char *text)
{
	struct sockaddr_un sun;
	socklen_t len = sizeof sun;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_int_equal(
		getsockname(manager->fd, (struct sockaddr *)&sun, &len), 0);
	assert_int_equal(
		sendto(fd, text, strlen(text), 0, (struct sockaddr *)&sun, len),
		strlen(text));
	(void)close(fd);
}

int
manager_stop(void **state)
{
	struct manager *manager = *state;

	send_to(manager, STOP);
	assert_int_equal(pthread_join(manager->thread, NULL), 0);
	for (; manager->at < manager->n; manager->at++)
		(void)close(manager->queue[manager->at].fd);
	(void)unsetenv("NOTIFY_SOCKET");
	(void)unsetenv("FDSTORE");
	return close(manager->fd);
}

/* The next message. */
static struct letter
next(struct manager *manager)
{
	struct letter letter = {.fd = -1};
	struct timespec deadline;
	int rc = 0;

	(void)clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += DEADLINE_S;
	(void)pthread_mutex_lock(&manager->lock);
	while (manager->at == manager->n && rc == 0)
		rc = pthread_cond_timedwait(
			&manager->news, &manager->lock, &deadline);
	if (manager->at < manager->n)
		letter = manager->queue[manager->at++];
	(void)pthread_mutex_unlock(&manager->lock);
	return letter;
}

void
manager_expect(struct manager *manager, const char *text)
{
	struct letter letter = next(manager);

	assert_string_equal(letter.text, text);
	assert_int_equal(letter.fd, -1);
}

int
manager_expect_fd(struct manager *manager, const char *text)
{
	struct letter letter = next(manager);

	assert_string_equal(letter.text, text);
	assert_true(letter.fd >= 0);
	return letter.fd;
}

void
manager_expect_nothing(struct manager *manager)
{
	send_to(manager, MARK);
	manager_expect(manager, MARK);
}

int
manager_next_change(struct manager *manager, char name_out[256])
{
	static const char stores[] = "FDSTORE=1\nFDPOLL=0\nFDNAME=";
	static const char removes[] = "FDSTOREREMOVE=1\nFDNAME=";
	struct letter letter = next(manager);
	const char *start = letter.fd >= 0 ? stores : removes;

	assert_memory_equal(letter.text, start, strlen(start));
	(void)snprintf(name_out, 256, "%s", letter.text + strlen(start));
	return letter.fd;
}

int
manager_in_child(int (*body)(void))
{
	int status = -1;
	const pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(body());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

void
manager_inherit(const char *name, int fd)
{
	char self[32];

	(void)snprintf(self, sizeof self, "%d", (int)getpid());
	if (fd < 0 || (fd != FIRST_FD && dup2(fd, FIRST_FD) < 0) ||
		setenv("LISTEN_PID", self, 1) < 0 ||
		setenv("LISTEN_FDS", "1", 1) < 0 ||
		setenv("LISTEN_FDNAMES", name, 1) < 0)
		_exit(99);
	if (fd != FIRST_FD)
		(void)close(fd);
}
