/* The admin socket. */
#define _GNU_SOURCE
#include "supervisor/control.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/listen_socket.h"
#include "supervisor/control_call.h"
#include "supervisor/handover.h"

struct control {
	char *path;
	int fd;
	struct event *accept;
	struct event_base *base;
	struct control_call_list calls;
	size_t n_calls;
	bool held; /* nobody is let in */
	struct control_handler handler;
};

/* May the process at the other end give orders? */
static bool
is_trusted(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof peer;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return false;
	if (peer.uid == 0 || peer.uid == geteuid())
		return true;
	log_msg(LOG_LEVEL_WARN, "admin socket: refused uid %u, pid %d",
		peer.uid, peer.pid);
	return false;
}

/* Room for another one: the next in the queue can be let in. */
static void
on_call_over(void *arg)
{
	struct control *control = arg;

	control->n_calls--;
	if (!control->held)
		(void)event_add(control->accept, NULL);
}

bool
control_hold(struct control *control, bool on)
{
	if (control == NULL)
		return true;
	control->held = on;
	if (on)
		(void)event_del(control->accept);
	else if (control->n_calls < CONTROL_CALLS_MAX)
		(void)event_add(control->accept, NULL);
	return control->n_calls == 0;
}

static void
on_accept(int listener, short what, void *arg)
{
	struct control *control = arg;
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)what;
	if (fd < 0)
		return;
	if (!is_trusted(fd)) {
		fd_close(&fd);
		return;
	}
	control->n_calls++;
	if (control->n_calls == CONTROL_CALLS_MAX)
		(void)event_del(control->accept);
	control_call_start(
		&control->calls, control->base, fd, &control->handler);
}

/* Takes FD. */
static struct control *
serve(struct event_base *base, const char *path, int fd,
	const struct control_handler *handler)
{
	struct control *control = xcalloc(1, sizeof *control);

	control->path = xstrdup(path);
	control->base = base;
	control->fd = fd;
	control->handler = *handler;
	control->handler.on_over = on_call_over;
	control->handler.over_arg = control;
	LIST_INIT(&control->calls);
	control->accept =
		event_new(base, fd, EV_READ | EV_PERSIST, on_accept, control);
	(void)event_add(control->accept, NULL);
	return control;
}

struct control *
control_new(struct event_base *base, const char *path, struct rollout *rollout,
	control_status_fn status, void *arg, struct error *err)
{
	const struct control_handler handler = {
		.rollout = rollout, .status = status, .arg = arg};
	char *text = xasprintf("unix:%s", path);
	struct addr addr;
	int fd = -1;

	if (addr_parse(text, ADDR_FOR_LISTEN, &addr, err) == 0)
		fd = listen_socket_open(&addr, CONTROL_MODE, err);
	free(text);
	return fd < 0 ? NULL : serve(base, path, fd, &handler);
}

struct control *
control_take_over(struct event_base *base, struct handover *handover,
	struct rollout *rollout, control_status_fn status, void *arg)
{
	const struct control_handler handler = {
		.rollout = rollout, .status = status, .arg = arg};
	struct handover_item *item = handover_take(handover, HANDOVER_ADMIN);
	struct error err;

	if (item == NULL)
		return NULL;
	if (listen_socket_adopt(item->fd, &err) < 0) {
		log_msg(LOG_LEVEL_WARN, "admin socket: %s", err.text);
		fd_close(&item->fd);
		return NULL;
	}
	return serve(base, item->where, item->fd, &handler);
}

void
control_hand_over(const struct control *control, struct handover *handover)
{
	if (control != NULL)
		handover_add(handover, HANDOVER_ADMIN, "", control->path,
			control->fd);
}

void
control_free(struct control **control)
{
	struct control *gone = *control;

	*control = NULL;
	if (gone == NULL)
		return;
	while (!LIST_EMPTY(&gone->calls))
		control_call_end(LIST_FIRST(&gone->calls));
	event_free(gone->accept);
	(void)unlink(gone->path);
	fd_close(&gone->fd);
	free(gone->path);
	free(gone);
}
