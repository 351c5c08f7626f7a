/* The listening sockets of one generation. */
#include "supervisor/listen_set.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/systemd.h"
#include "conf/report.h"
#include "conf/settings.h"
#include "net/listen_socket.h"
#include "supervisor/handover.h"
#include "supervisor/socket_store.h"

/* Sockets that systemd may pass under one name. */
#define INHERITED_MAX 32

/* Mode of a new unix socket, cut by nobody's umask. */
#define UNIX_SOCKET_MODE 0660

/* Fills in which file leads to it. */
static void
note_file(struct listen_entry *entry)
{
	const char *path = addr_unix_path(&entry->addr);
	struct stat st;

	if (path == NULL || lstat(path, &st) < 0)
		return;
	entry->dev = st.st_dev;
	entry->ino = st.st_ino;
}

/* Does the path lead there still? What has none is never lost. */
static bool
has_its_file(const struct listen_entry *entry)
{
	const char *path = addr_unix_path(&entry->addr);
	struct stat st;

	return path == NULL ||
	       (lstat(path, &st) == 0 && st.st_dev == entry->dev &&
		       st.st_ino == entry->ino);
}

/* Takes FD. */
static void
add_socket(struct listen_set *set, const struct listener_settings *listener,
	const struct addr *addr, int fd)
{
	struct listen_entry *socket;

	set->items = xreallocarray(set->items, set->n + 1, sizeof *set->items);
	socket = &set->items[set->n++];
	*socket = (struct listen_entry){
		.listener = listener->name, .addr = *addr, .fd = fd};
	note_file(socket);
}

static int
inherit(struct listen_set *set, const struct listener_settings *listener,
	const struct addr *addr, struct error *err)
{
	int fds[INHERITED_MAX];
	size_t n = systemd_listen_fds(addr->name, fds, INHERITED_MAX), i;
	int fd;

	if (n == 0)
		return error_set(err,
			"no socket named \"%s\" was passed by the service "
			"manager (FileDescriptorName=)",
			addr->name);
	for (i = 0; i < n; i++) {
		if (listen_socket_adopt(fds[i], err) < 0)
			return error_prefix(
				err, "inherited socket \"%s\"", addr->name);
		fd = fcntl(fds[i], F_DUPFD_CLOEXEC, 3);
		if (fd < 0)
			return error_set_errno(err, errno, "dup");
		add_socket(set, listener, addr, fd);
	}
	return 0;
}

/* The descriptor of the socket at ADDR; -1: SET (may be NULL) has none. Looked
 * for from FIRST on, all around: mostly the next one that is asked for is the
 * next one in SET. */
static int
find_socket(const struct listen_set *set, const struct addr *addr, size_t first)
{
	const struct listen_entry *entry;
	size_t i;

	for (i = 0; set != NULL && i < set->n; i++) {
		entry = &set->items[(first + i) % set->n];
		if (addr_equal(&entry->addr, addr) && entry->fd >= 0 &&
			has_its_file(entry))
			return entry->fd;
	}
	return -1;
}

static bool
kernel_chooses(const struct addr *addr)
{
	return (addr->kind == ADDR_INET || addr->kind == ADDR_INET6) &&
	       addr->port == 0;
}

/* The NTH socket of LISTENER with a port of the kernel's choice, at ADDR. */
static int
find_chosen(const struct listen_set *set, const char *listener,
	const struct addr *addr, size_t nth)
{
	const struct listen_entry *socket;
	size_t i;

	for (i = 0; set != NULL && i < set->n; i++) {
		socket = &set->items[i];
		if (strcmp(socket->listener, listener) == 0 &&
			addr_equal(&socket->addr, addr) && nth-- == 0)
			return socket->fd;
	}
	return -1;
}

/* How many such sockets there are already. */
static size_t
count_chosen(const struct listen_set *set, const char *listener,
	const struct addr *addr)
{
	size_t n = 0;

	while (find_chosen(set, listener, addr, n) >= 0)
		n++;
	return n;
}

/* The same socket of the generation before, or -1. Where the kernel chose the
 * port several have the same address in the settings. */
static int
share(const struct listen_set *set, const struct listen_set *previous,
	const char *listener, const struct addr *addr)
{
	int fd = kernel_chooses(addr)
			 ? find_chosen(previous, listener, addr,
				   count_chosen(set, listener, addr))
			 : find_socket(previous, addr, set->n);

	return fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

/* Where a socket may come from before it is opened anew. */
struct origin {
	const struct listen_set *previous; /* may be NULL */
	struct socket_store *store;
};

static int
open_one(struct listen_set *set, const struct origin *origin,
	const struct listener_settings *listener, const struct addr *addr,
	struct error *err)
{
	int fd;

	if (addr->kind == ADDR_SYSTEMD)
		return inherit(set, listener, addr, err);
	fd = share(set, origin->previous, listener->name, addr);
	if (fd < 0)
		fd = socket_store_take(origin->store, addr);
	if (fd < 0)
		fd = listen_socket_open(addr, UNIX_SOCKET_MODE, err);
	if (fd < 0)
		return -1;
	add_socket(set, listener, addr, fd);
	return 0;
}

/* What is stored and nobody wants may hold an address that somebody does. */
static void
clear_the_way(const struct settings *settings, struct socket_store *store)
{
	const struct addr_list *listen;
	size_t i, k;

	for (i = 0; i < settings->n_listeners; i++) {
		listen = &settings->listeners[i].listen;
		for (k = 0; k < listen->n; k++)
			socket_store_want(store, &listen->items[k]);
	}
	socket_store_drop_unwanted(store);
}

int
listen_set_open(struct listen_set *set, const struct settings *settings,
	const struct listen_set *previous, struct socket_store *store,
	struct report *report)
{
	const struct origin origin = {.previous = previous, .store = store};
	const struct listener_settings *listener;
	struct error err;
	size_t i, k;
	int result = 0;

	clear_the_way(settings, store);
	for (i = 0; i < settings->n_listeners; i++) {
		listener = &settings->listeners[i];
		for (k = 0; k < listener->listen.n; k++) {
			if (open_one(set, &origin, listener,
				    &listener->listen.items[k], &err) == 0)
				continue;
			settings_report(listener, "listen", k, REPORT_ERROR,
				report, "%s", err.text);
			result = -1;
		}
	}
	return result;
}

void
listen_set_done(struct listen_set *set)
{
	size_t i;

	for (i = 0; i < set->n; i++)
		fd_close(&set->items[i].fd);
	free(set->items);
	*set = (struct listen_set){0};
}

void
listen_set_store(
	const struct listen_set *set, struct socket_store *store, bool on)
{
	const struct listen_entry *entry;
	size_t i;

	socket_store_begin(store, on);
	for (i = 0; i < set->n; i++) {
		entry = &set->items[i];
		if (entry->addr.kind != ADDR_SYSTEMD && entry->fd >= 0)
			socket_store_keep(store, entry->fd, &entry->addr);
	}
	socket_store_end(store);
}

static void
remove_file(const struct listen_entry *entry)
{
	const char *path = addr_unix_path(&entry->addr);

	if (path != NULL && has_its_file(entry))
		(void)unlink(path);
}

/* Open or closed: what has become of its file was decided then. */
static bool
has_file(const struct listen_set *set, const struct listen_entry *entry)
{
	const struct listen_entry *other;
	size_t i;

	for (i = 0; set != NULL && i < set->n; i++) {
		other = &set->items[i];
		if (addr_equal(&other->addr, &entry->addr) &&
			other->dev == entry->dev && other->ino == entry->ino)
			return true;
	}
	return false;
}

void
listen_set_remove_files(
	const struct listen_set *set, const struct listen_set *kept)
{
	size_t i;

	for (i = 0; i < set->n; i++)
		if (addr_unix_path(&set->items[i].addr) != NULL &&
			!has_file(kept, &set->items[i]))
			remove_file(&set->items[i]);
}

void
listen_set_close(struct listen_set *set, bool keep_files)
{
	size_t i;

	for (i = 0; i < set->n; i++) {
		if (set->items[i].fd < 0)
			continue;
		if (!keep_files)
			remove_file(&set->items[i]);
		fd_close(&set->items[i].fd);
	}
}

/* ---- to another image of this process ---- */

void
listen_set_hand_over(const struct listen_set *set, struct handover *handover)
{
	char text[ADDR_TEXT_MAX];
	size_t i;

	/* The next image would take for its file what is there then. */
	for (i = 0; i < set->n; i++)
		if (set->items[i].fd >= 0 && has_its_file(&set->items[i]))
			handover_add(handover, HANDOVER_SOCKET,
				set->items[i].listener,
				addr_format(&set->items[i].addr, text),
				set->items[i].fd);
}

static const struct listener_settings *
find_listener(const struct settings *settings, const char *name)
{
	size_t i;

	for (i = 0; i < settings->n_listeners; i++)
		if (strcmp(settings->listeners[i].name, name) == 0)
			return &settings->listeners[i];
	return NULL;
}

void
listen_set_take_over(struct listen_set *set, const struct settings *settings,
	struct handover *handover)
{
	const struct listener_settings *listener;
	struct handover_item *item;
	struct addr addr;
	struct error err;

	while ((item = handover_take(handover, HANDOVER_SOCKET)) != NULL) {
		listener = find_listener(settings, item->name);
		if (listener != NULL &&
			addr_parse(item->where, ADDR_FOR_LISTEN, &addr, &err) ==
				0 &&
			listen_socket_adopt(item->fd, &err) == 0)
			add_socket(set, listener, &addr, item->fd);
		else
			fd_close(&item->fd);
	}
}
