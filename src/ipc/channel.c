#include "ipc/channel.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/mem.h"

/* Messages read in one turn, so that a chatty process starves nobody. */
#define READ_BUDGET 16

/* A process that lets this much pile up does not read any more. */
#define QUEUE_BYTES_MAX (64UL * 1024 * 1024)

/* A message that the socket did not take yet, with descriptors of its own. */
struct queued {
	STAILQ_ENTRY(queued) next;
	size_t n_fds;
	int fds[MESSAGE_FDS_MAX];
	size_t len;
	uint8_t bytes[];
};

struct channel {
	int fd; /* -1 once closed */
	struct event on_readable;
	struct event on_writable;
	channel_message_fn on_message;
	channel_closed_fn on_closed;
	void *arg;
	bool is_dispatching; /* a callback may be on the stack */
	bool is_doomed;      /* freed in a callback: free it afterwards */
	size_t queued_bytes;
	STAILQ_HEAD(queued_list, queued) queue;
};

/* Room for descriptors beside a message, aligned as the kernel wants it. */
union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int) * MESSAGE_FDS_MAX)];
};

int
channel_pair(int fds[2], struct error *err)
{
	const int type = SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK;

	if (socketpair(AF_UNIX, type, 0, fds) < 0)
		return error_set_errno(err, errno, "cannot make a socket pair");
	return 0;
}

static void
queued_free(struct queued *q)
{
	for (size_t i = 0; i < q->n_fds; i++)
		fd_close(&q->fds[i]);
	free(q);
}

static void
drop_queue(struct channel *channel)
{
	struct queued *q;

	while ((q = STAILQ_FIRST(&channel->queue)) != NULL) {
		STAILQ_REMOVE_HEAD(&channel->queue, next);
		queued_free(q);
	}
	channel->queued_bytes = 0;
}

static void
detach(struct channel *channel)
{
	if (channel->fd == -1)
		return;
	(void)event_del(&channel->on_readable);
	(void)event_del(&channel->on_writable);
	fd_close(&channel->fd);
	drop_queue(channel);
}

static void
close_and_tell(struct channel *channel)
{
	detach(channel);
	channel->on_closed(channel->arg);
}

/*
 * Takes what came as descriptors into M. False when anything else came, or
 * less than was sent: then M still owns what has arrived.
 */
static bool
take_control(struct message *m, struct msghdr *header)
{
	bool ok = (header->msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0;
	struct cmsghdr *c;

	for (c = CMSG_FIRSTHDR(header); c != NULL; c = CMSG_NXTHDR(header, c)) {
		size_t bytes = c->cmsg_len - CMSG_LEN(0);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) {
			ok = false;
			continue;
		}
		/* The kernel's promise: it fills no more than union control. */
		assert(bytes <= sizeof m->fds - m->n_fds * sizeof(int));
		memcpy(m->fds + m->n_fds, CMSG_DATA(c), bytes);
		m->n_fds += bytes / sizeof(int);
	}
	return ok;
}

/* Hands one received message up; false when it is none. */
static bool
dispatch(struct channel *channel, const uint8_t *bytes, size_t len,
	struct msghdr *header)
{
	struct message m;
	bool ok;

	/* Descriptors first: they must be closed whatever the bytes say. */
	message_init(&m, MESSAGE_NONE);
	ok = take_control(&m, header);
	if (ok) {
		size_t n_fds = m.n_fds;

		ok = message_decode(&m, bytes, len);
		m.n_fds = n_fds;
	}
	if (ok)
		channel->on_message(&m, channel->arg);
	message_close_fds(&m);
	return ok;
}

/* Reads one message. False when there is none or the channel is closed. */
static bool
read_one(struct channel *channel)
{
	uint8_t bytes[MESSAGE_WIRE_MAX];
	union control control;
	struct iovec iov = {.iov_base = bytes, .iov_len = sizeof bytes};
	struct msghdr header = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof control.bytes};
	ssize_t len = recvmsg(channel->fd, &header, MSG_CMSG_CLOEXEC);

	/*
	 * A peer that went away without reading all gives ECONNRESET, once,
	 * ahead of what it had sent: that is still to be read.
	 */
	if (len < 0 && (errno == EINTR || errno == ECONNRESET))
		return true;
	if (len < 0 && errno == EAGAIN)
		return false;
	if (len > 0 && dispatch(channel, bytes, (size_t)len, &header))
		return channel->fd != -1;
	/* A zero-length message may carry descriptors too. */
	if (len == 0)
		(void)dispatch(channel, bytes, 0, &header);
	if (channel->fd != -1)
		close_and_tell(channel);
	return false;
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct channel *channel = arg;

	(void)fd;
	(void)what;
	channel->is_dispatching = true;
	for (int i = 0; i < READ_BUDGET; i++) {
		if (!read_one(channel))
			break;
	}
	channel->is_dispatching = false;
	if (channel->is_doomed)
		free(channel);
}

/* 0, or -1 with errno. */
static int
send_now(int fd, const uint8_t *bytes, size_t len, const int *fds, size_t n_fds)
{
	union control control;
	struct iovec iov = {.iov_len = len};
	struct msghdr header = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t sent;

	/* sendmsg() does not write through it, but its type says it may. */
	memcpy(&iov.iov_base, &bytes, sizeof bytes);
	if (n_fds > 0) {
		struct cmsghdr *c;

		memset(&control, 0, sizeof control);
		header.msg_control = control.bytes;
		header.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
		c = CMSG_FIRSTHDR(&header);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * n_fds);
	}
	do
		sent = sendmsg(fd, &header, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -1 : 0;
}

/*
 * Nothing can be sent any more. The end is told from the loop: after the
 * shutdown the descriptor is readable, what has arrived is read first, then
 * the end of it.
 */
static int
give_up(struct channel *channel)
{
	drop_queue(channel);
	(void)event_del(&channel->on_writable);
	(void)shutdown(channel->fd, SHUT_RDWR);
	return -1;
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct channel *channel = arg;
	struct queued *q;

	(void)fd;
	(void)what;
	while ((q = STAILQ_FIRST(&channel->queue)) != NULL) {
		if (send_now(channel->fd, q->bytes, q->len, q->fds, q->n_fds) <
			0) {
			if (errno != EAGAIN)
				(void)give_up(channel);
			return;
		}
		STAILQ_REMOVE_HEAD(&channel->queue, next);
		channel->queued_bytes -= q->len;
		queued_free(q);
	}
	(void)event_del(&channel->on_writable);
}

struct channel *
channel_new(struct event_base *base, int fd, channel_message_fn on_message,
	channel_closed_fn on_closed, void *arg, struct error *err)
{
	struct channel *channel = xcalloc(1, sizeof *channel);
	const short readable = EV_READ | EV_PERSIST;
	const short writable = EV_WRITE | EV_PERSIST;

	STAILQ_INIT(&channel->queue);
	channel->fd = fd;
	channel->on_message = on_message;
	channel->on_closed = on_closed;
	channel->arg = arg;
	(void)event_assign(&channel->on_readable, base, fd, readable,
		on_readable, channel);
	(void)event_assign(&channel->on_writable, base, fd, writable,
		on_writable, channel);
	if (fd_set_nonblocking(fd, true) < 0 || fd_set_cloexec(fd, true) < 0 ||
		event_add(&channel->on_readable, NULL) < 0) {
		error_set_errno(err, errno, "cannot set up a channel");
		channel_free(&channel);
		return NULL;
	}
	return channel;
}

void
channel_free(struct channel **channel)
{
	struct channel *c = *channel;

	if (c == NULL)
		return;
	*channel = NULL;
	detach(c);
	if (c->is_dispatching)
		c->is_doomed = true;
	else
		free(c);
}

int
channel_fd(const struct channel *channel)
{
	return channel->fd;
}

bool
channel_is_flushed(const struct channel *channel)
{
	return STAILQ_EMPTY(&channel->queue);
}

/* 0, or -1 when there is no memory or no descriptor left. */
static int
enqueue(struct channel *channel, const uint8_t *bytes, size_t len,
	const struct message *m)
{
	struct queued *q;

	if (len > QUEUE_BYTES_MAX - channel->queued_bytes)
		return -1;
	q = calloc(1, sizeof *q + len);
	if (q == NULL)
		return -1;
	q->len = len;
	memcpy(q->bytes, bytes, len);
	for (size_t i = 0; i < m->n_fds; i++) {
		q->fds[i] = fcntl(m->fds[i], F_DUPFD_CLOEXEC, 0);
		if (q->fds[i] < 0)
			goto fail;
		q->n_fds++;
	}
	if (event_add(&channel->on_writable, NULL) < 0)
		goto fail;
	STAILQ_INSERT_TAIL(&channel->queue, q, next);
	channel->queued_bytes += len;
	return 0;

fail:
	queued_free(q);
	return -1;
}

int
channel_send(struct channel *channel, const struct message *m)
{
	uint8_t bytes[MESSAGE_WIRE_MAX];
	size_t len = message_encode(m, bytes, sizeof bytes);

	assert(len > 0 && m->type != MESSAGE_NONE);

	if (channel->fd == -1)
		return -1;
	if (STAILQ_EMPTY(&channel->queue)) {
		if (send_now(channel->fd, bytes, len, m->fds, m->n_fds) == 0)
			return 0;
		if (errno != EAGAIN)
			return give_up(channel);
	}
	if (enqueue(channel, bytes, len, m) < 0)
		return give_up(channel);
	return 0;
}
