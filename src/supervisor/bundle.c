/* One generation as the supervisor holds it. */
#include "supervisor/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/systemd.h"
#include "conf/file_source.h"
#include "conf/report.h"
#include "conf/settings.h"
#include "ipc/message.h"
#include "net/listen_socket.h"
#include "supervisor/child.h"
#include "supervisor/socket_store.h"

/* Sockets that systemd may pass under one name. */
#define INHERITED_MAX 32

/* Mode of a new unix socket, cut by nobody's umask. */
#define UNIX_SOCKET_MODE 0660

struct bundle_socket {
	const char *listener; /* in the settings */
	struct addr addr;     /* as configured */
	int fd;
};

/* A file that workers append to. */
struct bundle_output {
	char *path;
	int fd;
};

struct bundle {
	uint64_t number;
	struct settings *settings;
	int public_fd, secret_fd;
	struct bundle_socket *sockets;
	size_t n_sockets;
	struct bundle_output *outputs;
	size_t n_outputs;
};

/* Packs what was read. */
static int
pack(struct bundle *bundle, const struct file_source *files,
	struct report *report)
{
	const struct conf_pos pos = {.file = bundle->settings->path, .line = 0};
	struct error err;

	bundle->public_fd = file_source_to_bundle(files, FILE_PUBLIC, &err);
	if (bundle->public_fd >= 0)
		bundle->secret_fd =
			file_source_to_bundle(files, FILE_SECRET, &err);
	if (bundle->secret_fd >= 0)
		return 0;
	report_add(report, REPORT_ERROR, &pos, NULL, "%s", err.text);
	return -1;
}

static void
take_outputs(struct bundle *bundle, const struct file_source *files)
{
	struct bundle_output *output;
	const char *path;
	size_t i;
	int fd;

	for (i = 0; (path = file_source_output_at(files, i, &fd)) != NULL;
		i++) {
		bundle->outputs = xreallocarray(bundle->outputs,
			bundle->n_outputs + 1, sizeof *bundle->outputs);
		output = &bundle->outputs[bundle->n_outputs++];
		output->path = xstrdup(path);
		output->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	}
}

struct bundle *
bundle_load(const char *path, uint64_t number,
	const uint8_t ticket_secret[TICKET_SECRET_SIZE],
	struct report *report, struct file_record **record_out)
{
	struct bundle *bundle = xcalloc(1, sizeof *bundle);
	struct file_source *files = file_source_beside(path);

	bundle->number = number;
	bundle->public_fd = -1;
	bundle->secret_fd = -1;
	bundle->settings = settings_load(path, files, report);
	settings_read_files(bundle->settings, files);
	file_source_add_secret(files, FILE_SOURCE_TICKET_SECRET, ticket_secret,
		TICKET_SECRET_SIZE);
	take_outputs(bundle, files);
	if (record_out != NULL)
		*record_out = file_source_record(files);
	if (report_errors(report) > 0 || pack(bundle, files, report) < 0)
		bundle_free(&bundle);
	file_source_free(&files);
	return bundle;
}

void
bundle_free(struct bundle **bundle)
{
	struct bundle *gone = *bundle;
	size_t i;

	*bundle = NULL;
	if (gone == NULL)
		return;
	for (i = 0; i < gone->n_sockets; i++)
		fd_close(&gone->sockets[i].fd);
	free(gone->sockets);
	for (i = 0; i < gone->n_outputs; i++) {
		free(gone->outputs[i].path);
		fd_close(&gone->outputs[i].fd);
	}
	free(gone->outputs);
	fd_close(&gone->public_fd);
	fd_close(&gone->secret_fd);
	settings_free(&gone->settings);
	free(gone);
}

/* Takes FD. */
static void
add_socket(struct bundle *bundle, const struct listener_settings *listener,
	const struct addr *addr, int fd)
{
	struct bundle_socket *socket;

	bundle->sockets = xreallocarray(bundle->sockets, bundle->n_sockets + 1,
		sizeof *bundle->sockets);
	socket = &bundle->sockets[bundle->n_sockets++];
	*socket = (struct bundle_socket){
		.listener = listener->name, .addr = *addr, .fd = fd};
}

static int
inherit(struct bundle *bundle, const struct listener_settings *listener,
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
		add_socket(bundle, listener, addr, fd);
	}
	return 0;
}

/* The descriptor of the socket at ADDR; -1: BUNDLE (may be NULL) has none. */
static int
find_socket(const struct bundle *bundle, const struct addr *addr)
{
	size_t i;

	for (i = 0; bundle != NULL && i < bundle->n_sockets; i++)
		if (addr_equal(&bundle->sockets[i].addr, addr) &&
			bundle->sockets[i].fd >= 0)
			return bundle->sockets[i].fd;
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
find_chosen(const struct bundle *bundle, const char *listener,
	const struct addr *addr, size_t nth)
{
	const struct bundle_socket *socket;
	size_t i;

	for (i = 0; bundle != NULL && i < bundle->n_sockets; i++) {
		socket = &bundle->sockets[i];
		if (strcmp(socket->listener, listener) == 0 &&
			addr_equal(&socket->addr, addr) && nth-- == 0)
			return socket->fd;
	}
	return -1;
}

/* How many such sockets there are already. */
static size_t
count_chosen(const struct bundle *bundle, const char *listener,
	const struct addr *addr)
{
	size_t n = 0;

	while (find_chosen(bundle, listener, addr, n) >= 0)
		n++;
	return n;
}

/* The same socket of the generation before, or -1. Where the kernel chose the
 * port several have the same address in the settings. */
static int
share(const struct bundle *bundle, const struct bundle *previous,
	const char *listener, const struct addr *addr)
{
	int fd = kernel_chooses(addr)
			 ? find_chosen(previous, listener, addr,
				   count_chosen(bundle, listener, addr))
			 : find_socket(previous, addr);

	return fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

/* Where a socket may come from before it is opened anew. */
struct origin {
	const struct bundle *previous; /* may be NULL */
	struct socket_store *store;
};

static int
open_one(struct bundle *bundle, const struct origin *origin,
	const struct listener_settings *listener, const struct addr *addr,
	struct error *err)
{
	int fd;

	if (addr->kind == ADDR_SYSTEMD)
		return inherit(bundle, listener, addr, err);
	fd = share(bundle, origin->previous, listener->name, addr);
	if (fd < 0)
		fd = socket_store_take(origin->store, addr);
	if (fd < 0)
		fd = listen_socket_open(addr, UNIX_SOCKET_MODE, err);
	if (fd < 0)
		return -1;
	add_socket(bundle, listener, addr, fd);
	return 0;
}

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
bundle_open_sockets(struct bundle *bundle, const struct bundle *previous,
	struct socket_store *store, struct report *report)
{
	const struct origin origin = {.previous = previous, .store = store};
	const struct listener_settings *listener;
	struct error err;
	size_t i, k;
	int result = 0;

	clear_the_way(bundle->settings, store);
	for (i = 0; i < bundle->settings->n_listeners; i++) {
		listener = &bundle->settings->listeners[i];
		for (k = 0; k < listener->listen.n; k++) {
			if (open_one(bundle, &origin, listener,
				    &listener->listen.items[k], &err) == 0)
				continue;
			settings_report(listener, "listen", k, REPORT_ERROR,
				report, "%s", err.text);
			result = -1;
		}
	}
	return result;
}

static void
remove_unix_socket(const struct addr *addr)
{
	const struct sockaddr_un *un = (const struct sockaddr_un *)&addr->sa;

	if (addr->kind == ADDR_UNIX && un->sun_path[0] != '\0')
		(void)unlink(un->sun_path);
}

void
bundle_remove_files(const struct bundle *bundle, const struct bundle *kept)
{
	size_t i;

	for (i = 0; i < bundle->n_sockets; i++)
		if (find_socket(kept, &bundle->sockets[i].addr) < 0)
			remove_unix_socket(&bundle->sockets[i].addr);
}

void
bundle_store_sockets(const struct bundle *bundle, struct socket_store *store)
{
	const struct bundle_socket *socket;
	size_t i;

	socket_store_begin(
		store, bundle->settings->process.fdstore != FDSTORE_OFF);
	for (i = 0; i < bundle->n_sockets; i++) {
		socket = &bundle->sockets[i];
		if (socket->addr.kind != ADDR_SYSTEMD && socket->fd >= 0)
			socket_store_keep(store, socket->fd, &socket->addr);
	}
	socket_store_end(store);
}

void
bundle_close_sockets(struct bundle *bundle, bool keep_files)
{
	size_t i;

	for (i = 0; i < bundle->n_sockets; i++) {
		if (bundle->sockets[i].fd < 0)
			continue;
		if (!keep_files)
			remove_unix_socket(&bundle->sockets[i].addr);
		fd_close(&bundle->sockets[i].fd);
	}
}

static void
send_file(struct child *worker, enum message_type type, uint64_t number,
	const char *text, int fd)
{
	struct message m;

	if (fd < 0)
		return;
	message_init(&m, type);
	message_put_u64(&m, number);
	message_put_text(&m, text);
	message_put_fd(&m, fd);
	child_send(worker, &m);
}

void
bundle_stage(const struct bundle *bundle, struct child *worker, bool accepts)
{
	struct message m;
	size_t i;

	message_init(&m, MESSAGE_STAGE);
	message_put_u64(&m, bundle->number);
	message_put_text(&m, bundle->settings->path);
	message_put_fd(&m, bundle->public_fd);
	message_put_fd(&m, bundle->secret_fd);
	child_send(worker, &m);
	for (i = 0; i < bundle->n_sockets && accepts; i++)
		send_file(worker, MESSAGE_SOCKET, bundle->number,
			bundle->sockets[i].listener, bundle->sockets[i].fd);
	for (i = 0; i < bundle->n_outputs; i++)
		send_file(worker, MESSAGE_OUTPUT, bundle->number,
			bundle->outputs[i].path, bundle->outputs[i].fd);
	message_init(&m, MESSAGE_STAGE_END);
	message_put_u64(&m, bundle->number);
	child_send(worker, &m);
}

uint64_t
bundle_number(const struct bundle *bundle)
{
	return bundle->number;
}

const struct settings *
bundle_settings(const struct bundle *bundle)
{
	return bundle->settings;
}

const char *
bundle_socket(const struct bundle *bundle, size_t index, struct addr *addr_out)
{
	const struct bundle_socket *socket;
	struct sockaddr_storage sa = {0};
	socklen_t len = sizeof sa;

	if (index >= bundle->n_sockets)
		return NULL;
	socket = &bundle->sockets[index];
	*addr_out = socket->addr;
	if (getsockname(socket->fd, (struct sockaddr *)&sa, &len) == 0)
		addr_from_sockaddr((struct sockaddr *)&sa, len, addr_out);
	return socket->listener;
}
