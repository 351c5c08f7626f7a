/* One generation as the supervisor holds it. */
#include "supervisor/bundle.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "conf/file_source.h"
#include "conf/report.h"
#include "conf/settings.h"
#include "ipc/message.h"
#include "supervisor/child.h"
#include "supervisor/handover.h"
#include "supervisor/listen_set.h"

/* A file that workers append to. */
struct bundle_output {
	char *path;
	int fd;
};

struct bundle {
	uint64_t number;
	struct settings *settings;
	int public_fd, secret_fd;
	struct listen_set sockets;
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

/* Takes FD. */
static void
add_output(struct bundle *bundle, const char *path, int fd)
{
	struct bundle_output *output;

	bundle->outputs = xreallocarray(bundle->outputs, bundle->n_outputs + 1,
		sizeof *bundle->outputs);
	output = &bundle->outputs[bundle->n_outputs++];
	output->path = xstrdup(path);
	output->fd = fd;
}

static void
take_outputs(struct bundle *bundle, const struct file_source *files)
{
	const char *path;
	size_t i;
	int fd;

	for (i = 0; (path = file_source_output_at(files, i, &fd)) != NULL; i++)
		add_output(bundle, path, fcntl(fd, F_DUPFD_CLOEXEC, 3));
}

struct bundle *
bundle_load(const char *path, uint64_t number,
	const uint8_t ticket_secret[TICKET_SECRET_SIZE], struct report *report,
	struct file_record **record_out)
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
	mem_give_back();
	return bundle;
}

/* ---- from sealed memory instead of the disk ---- */

/* Takes both descriptors if it can be read. */
static struct bundle *
unpack(const char *path, uint64_t number, const int fds[2],
	struct report *report)
{
	const struct conf_pos pos = {.file = path};
	struct bundle *bundle = xcalloc(1, sizeof *bundle);
	struct error err;
	struct file_source *files = file_source_bundle(fds[0], fds[1], &err);

	bundle->number = number;
	bundle->public_fd = -1;
	bundle->secret_fd = -1;
	if (files == NULL)
		report_add(report, REPORT_ERROR, &pos, NULL, "%s", err.text);
	else
		bundle->settings = settings_load(path, files, report);
	file_source_free(&files);
	mem_give_back();
	if (report_errors(report) > 0) {
		bundle_free(&bundle);
		return NULL;
	}
	bundle->public_fd = fds[0];
	bundle->secret_fd = fds[1];
	return bundle;
}

struct bundle *
bundle_read(const char *path, const struct handover *handover,
	struct report *report)
{
	const int fds[2] = {handover->public_fd, handover->secret_fd};

	return unpack(path, handover->generation, fds, report);
}

struct bundle *
bundle_take_over(
	const char *path, struct handover *handover, struct report *report)
{
	struct bundle *bundle = bundle_read(path, handover, report);
	struct handover_item *item;

	if (bundle == NULL)
		return NULL;
	listen_set_take_over(&bundle->sockets, bundle->settings, handover);
	while ((item = handover_take(handover, HANDOVER_OUTPUT)) != NULL)
		add_output(bundle, item->where, item->fd);
	return bundle;
}

void
bundle_hand_over(const struct bundle *bundle, struct handover *handover)
{
	size_t i;

	handover->generation = bundle->number;
	handover->public_fd = bundle->public_fd;
	handover->secret_fd = bundle->secret_fd;
	listen_set_hand_over(&bundle->sockets, handover);
	for (i = 0; i < bundle->n_outputs; i++)
		if (bundle->outputs[i].fd >= 0)
			handover_add(handover, HANDOVER_OUTPUT, "",
				bundle->outputs[i].path, bundle->outputs[i].fd);
}

static int
duplicate(int fd)
{
	return fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

struct bundle *
bundle_again(
	const struct bundle *bundle, uint64_t number, struct report *report)
{
	int fds[2] = {
		duplicate(bundle->public_fd), duplicate(bundle->secret_fd)};
	struct report *findings = report_new();
	struct bundle *again =
		unpack(bundle->settings->path, number, fds, findings);
	size_t i;

	report_merge(report, findings);
	report_free(&findings);
	if (again == NULL) {
		fd_close(&fds[0]);
		fd_close(&fds[1]);
		return NULL;
	}
	for (i = 0; i < bundle->n_outputs; i++)
		add_output(again, bundle->outputs[i].path,
			duplicate(bundle->outputs[i].fd));
	return again;
}

static bool
is_same_memory(int a, int b)
{
	char *bytes[2] = {NULL, NULL};
	size_t len[2] = {0, 0};
	struct error err;
	bool same =
		fd_read_all(a, SIZE_MAX / 2, &bytes[0], &len[0], &err) == 0 &&
		fd_read_all(b, SIZE_MAX / 2, &bytes[1], &len[1], &err) == 0 &&
		len[0] == len[1] && memcmp(bytes[0], bytes[1], len[0]) == 0;

	mem_wipe(bytes[0], len[0]);
	mem_wipe(bytes[1], len[1]);
	free(bytes[0]);
	free(bytes[1]);
	return same;
}

bool
bundle_is_same(const struct bundle *a, const struct bundle *b)
{
	return is_same_memory(a->public_fd, b->public_fd) &&
	       is_same_memory(a->secret_fd, b->secret_fd);
}

void
bundle_free(struct bundle **bundle)
{
	struct bundle *gone = *bundle;
	size_t i;

	*bundle = NULL;
	if (gone == NULL)
		return;
	listen_set_done(&gone->sockets);
	for (i = 0; i < gone->n_outputs; i++) {
		free(gone->outputs[i].path);
		fd_close(&gone->outputs[i].fd);
	}
	free(gone->outputs);
	fd_close(&gone->public_fd);
	fd_close(&gone->secret_fd);
	settings_free(&gone->settings);
	free(gone);
	/* Ten thousand server names leave a hole worth giving back. */
	mem_give_back();
}

int
bundle_open_sockets(struct bundle *bundle, const struct bundle *previous,
	struct socket_store *store, struct report *report)
{
	return listen_set_open(&bundle->sockets, bundle->settings,
		previous == NULL ? NULL : &previous->sockets, store, report);
}

void
bundle_remove_files(const struct bundle *bundle, const struct bundle *kept)
{
	listen_set_remove_files(
		&bundle->sockets, kept == NULL ? NULL : &kept->sockets);
}

void
bundle_store_sockets(const struct bundle *bundle, struct socket_store *store)
{
	listen_set_store(&bundle->sockets, store,
		bundle->settings->process.fdstore != FDSTORE_OFF);
}

void
bundle_close_sockets(struct bundle *bundle, bool keep_files)
{
	listen_set_close(&bundle->sockets, keep_files);
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
	for (i = 0; i < bundle->sockets.n && accepts; i++)
		send_file(worker, MESSAGE_SOCKET, bundle->number,
			bundle->sockets.items[i].listener,
			bundle->sockets.items[i].fd);
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

void
bundle_use_log(const struct bundle *bundle)
{
	const struct process_settings *process = &bundle->settings->process;

	log_open("supervisor", (enum log_format)process->log_format,
		(enum log_level)process->log_level);
}

const char *
bundle_socket(const struct bundle *bundle, size_t index, struct addr *addr_out)
{
	const struct listen_entry *socket;
	struct sockaddr_storage sa = {0};
	socklen_t len = sizeof sa;

	if (index >= bundle->sockets.n)
		return NULL;
	socket = &bundle->sockets.items[index];
	*addr_out = socket->addr;
	if (getsockname(socket->fd, (struct sockaddr *)&sa, &len) == 0)
		addr_from_sockaddr((struct sockaddr *)&sa, len, addr_out);
	return socket->listener;
}
