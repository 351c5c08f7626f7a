/* What the supervisor of one binary leaves to that of the next. */
#include "supervisor/handover.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/units.h"
#include "conf/blob.h"

#define VARIABLE "SALLYPORT_HANDOVER"

/* -1 on the wire. */
#define NO_FD UINT32_MAX

void
handover_done(struct handover *handover)
{
	size_t i;

	for (i = 0; i < handover->n_items; i++) {
		free(handover->items[i].name);
		free(handover->items[i].where);
	}
	free(handover->items);
	free(handover->workers);
	free(handover->version);
	free(handover->protocol);
	free(handover->program);
	mem_wipe(handover->ticket_secret, sizeof handover->ticket_secret);
	*handover = (struct handover){.public_fd = -1, .secret_fd = -1};
}

/* Takes the texts. */
static void
add_item(struct handover *handover, const struct handover_item *item)
{
	handover->items = xreallocarray(handover->items, handover->n_items + 1,
		sizeof *handover->items);
	handover->items[handover->n_items++] = *item;
}

void
handover_add(struct handover *handover, enum handover_kind kind,
	const char *name, const char *where, int fd)
{
	const struct handover_item item = {.kind = kind,
		.name = xstrdup(name),
		.where = xstrdup(where),
		.fd = fd};

	add_item(handover, &item);
}

void
handover_add_worker(
	struct handover *handover, const struct handover_worker *worker)
{
	handover->workers = xreallocarray(handover->workers,
		handover->n_workers + 1, sizeof *handover->workers);
	handover->workers[handover->n_workers++] = *worker;
}

struct handover_item *
handover_take(struct handover *handover, enum handover_kind kind)
{
	struct handover_item *item;
	size_t i;

	for (i = 0; i < handover->n_items; i++) {
		item = &handover->items[i];
		if (item->kind != kind || item->taken)
			continue;
		item->taken = true;
		return item;
	}
	return NULL;
}

/* ---- writing ---- */

static void
put_u64(struct blob *blob, uint64_t value)
{
	blob_put_u32(blob, (uint32_t)(value >> 32));
	blob_put_u32(blob, (uint32_t)value);
}

static void
put_fd(struct blob *blob, int fd)
{
	blob_put_u32(blob, fd < 0 ? NO_FD : (uint32_t)fd);
}

static void
put_lists(struct blob *blob, const struct handover *handover)
{
	const struct handover_worker *worker;
	const struct handover_item *item;
	size_t i;

	blob_put_u32(blob, (uint32_t)handover->n_items);
	for (i = 0; i < handover->n_items; i++) {
		item = &handover->items[i];
		blob_put_u32(blob, item->kind);
		blob_put_text(blob, item->name);
		blob_put_text(blob, item->where);
		put_fd(blob, item->fd);
	}
	blob_put_u32(blob, (uint32_t)handover->n_workers);
	for (i = 0; i < handover->n_workers; i++) {
		worker = &handover->workers[i];
		blob_put_u32(blob, worker->index);
		blob_put_u32(blob, (uint32_t)worker->pid);
		blob_put_u32(blob, worker->leaving);
		blob_put_u32(blob, worker->foreign);
		put_fd(blob, worker->channel_fd);
		put_fd(blob, worker->stats_fd);
	}
}

int
handover_write(const struct handover *handover, struct error *err)
{
	struct blob blob = {0};
	int fd;

	blob_put_text(&blob, HANDOVER_FORMAT);
	blob_put_text(&blob, handover->version);
	blob_put_text(&blob, handover->protocol);
	blob_put_text(&blob, handover->program);
	put_u64(&blob, handover->generation);
	put_u64(&blob, handover->next_generation);
	put_fd(&blob, handover->public_fd);
	put_fd(&blob, handover->secret_fd);
	blob_put_bytes(
		&blob, handover->ticket_secret, sizeof handover->ticket_secret);
	blob_put_u32(&blob, handover->ticket_secret_stored);
	put_lists(&blob, handover);
	fd = fd_sealed_memfd("sallyport-handover", blob.bytes, blob.len, err);
	blob_done(&blob);
	return fd;
}

/* ---- reading ---- */

static uint64_t
get_u64(struct blob_reader *reader)
{
	uint64_t high = blob_get_u32(reader);

	return high << 32 | blob_get_u32(reader);
}

/* Standard descriptors are nobody's to give. */
static int
get_fd(struct blob_reader *reader)
{
	uint32_t fd = blob_get_u32(reader);

	if (fd == NO_FD)
		return -1;
	if (fd <= STDERR_FILENO || fd > INT_MAX)
		reader->bad = true;
	return reader->bad ? -1 : (int)fd;
}

static bool
get_bool(struct blob_reader *reader)
{
	uint32_t value = blob_get_u32(reader);

	if (value > 1)
		reader->bad = true;
	return value == 1;
}

static void
get_secret(struct blob_reader *reader, uint8_t out[TICKET_SECRET_SIZE])
{
	size_t len;
	const char *bytes = blob_get_bytes(reader, &len);

	if (len == TICKET_SECRET_SIZE)
		memcpy(out, bytes, len);
	else
		reader->bad = true;
}

static void
get_items(struct blob_reader *reader, struct handover *out)
{
	uint32_t n = blob_get_u32(reader), i;

	for (i = 0; i < n && !reader->bad; i++) {
		struct handover_item item = {0};
		uint32_t kind = blob_get_u32(reader);

		item.kind = (enum handover_kind)kind;
		item.name = blob_get_text(reader);
		item.where = blob_get_text(reader);
		item.fd = get_fd(reader);
		if (kind >= HANDOVER_N_KINDS ||
			(item.fd < 0) != (kind == HANDOVER_STORED))
			reader->bad = true;
		add_item(out, &item);
	}
}

static void
get_workers(struct blob_reader *reader, struct handover *out)
{
	uint32_t n = blob_get_u32(reader), i;

	for (i = 0; i < n && !reader->bad; i++) {
		struct handover_worker worker = {0};
		uint32_t pid;

		worker.index = blob_get_u32(reader);
		pid = blob_get_u32(reader);
		worker.pid = (pid_t)pid;
		worker.leaving = get_bool(reader);
		worker.foreign = get_bool(reader);
		worker.channel_fd = get_fd(reader);
		worker.stats_fd = get_fd(reader);
		if (pid <= 1 || pid > INT_MAX || worker.channel_fd < 0)
			reader->bad = true;
		handover_add_worker(out, &worker);
	}
}

static int
compare(const void *a, const void *b)
{
	const int *one = a, *other = b;

	return *one < *other ? -1 : *one > *other;
}

/* Every descriptor in it; the caller frees. */
static int *
all_fds(const struct handover *handover, size_t *n_out)
{
	size_t max = 2 + handover->n_items + 2 * handover->n_workers;
	size_t n = 0, i;
	int *fds = xcalloc(max, sizeof *fds);

	fds[n++] = handover->public_fd;
	fds[n++] = handover->secret_fd;
	for (i = 0; i < handover->n_items; i++)
		fds[n++] = handover->items[i].fd;
	for (i = 0; i < handover->n_workers; i++) {
		fds[n++] = handover->workers[i].channel_fd;
		fds[n++] = handover->workers[i].stats_fd;
	}
	qsort(fds, n, sizeof *fds, compare);
	*n_out = n;
	return fds;
}

/* Whoever closes one would close another's. */
static bool
names_one_twice(const struct handover *handover)
{
	bool twice = false;
	size_t n, i;
	int *fds = all_fds(handover, &n);

	for (i = 1; i < n; i++)
		if (fds[i] >= 0 && fds[i] == fds[i - 1])
			twice = true;
	free(fds);
	return twice;
}

static void
get_all(struct blob_reader *reader, struct handover *out)
{
	out->version = blob_get_text(reader);
	out->protocol = blob_get_text(reader);
	out->program = blob_get_text(reader);
	out->generation = get_u64(reader);
	out->next_generation = get_u64(reader);
	out->public_fd = get_fd(reader);
	out->secret_fd = get_fd(reader);
	get_secret(reader, out->ticket_secret);
	out->ticket_secret_stored = get_bool(reader);
	get_items(reader, out);
	get_workers(reader, out);
	if (out->public_fd < 0 || out->secret_fd < 0 || reader->left > 0 ||
		names_one_twice(out))
		reader->bad = true;
}

int
handover_decode(
	const char *bytes, size_t len, struct handover *out, struct error *err)
{
	struct blob_reader reader = {.next = bytes, .left = len};
	struct handover handover = {.public_fd = -1, .secret_fd = -1};
	char *format = blob_get_text(&reader);
	bool known = strcmp(format, HANDOVER_FORMAT) == 0;

	free(format);
	if (!known)
		return error_set(err,
			"the handover is in another format than \"%s\"",
			HANDOVER_FORMAT);
	get_all(&reader, &handover);
	if (reader.bad) {
		handover_done(&handover);
		return error_set(err, "the handover makes no sense");
	}
	*out = handover;
	return 0;
}

int
handover_read(int fd, struct handover *out, struct error *err)
{
	char *bytes;
	size_t len;
	int rc;

	if (fd_read_all(fd, HANDOVER_MAX, &bytes, &len, err) < 0)
		return error_prefix(err, "the handover");
	rc = handover_decode(bytes, len, out, err);
	mem_wipe(bytes, len);
	free(bytes);
	return rc;
}

/* ---- across execve(2) ---- */

int
handover_set_cloexec(const struct handover *handover, bool on)
{
	int result = 0;
	size_t n, i;
	int *fds = all_fds(handover, &n);

	for (i = 0; i < n; i++)
		if (fds[i] >= 0 && fd_set_cloexec(fds[i], on) < 0)
			result = -1;
	free(fds);
	return result;
}

void
handover_announce(int fd)
{
	char *text = xasprintf("%d:%d", (int)getpid(), fd);

	if (setenv(VARIABLE, text, 1) < 0)
		abort();
	free(text);
}

int
handover_find(void)
{
	const char *text = getenv(VARIABLE);
	char *mine = xasprintf("%d:", (int)getpid());
	struct error err;
	int64_t fd = -1;

	if (text != NULL && strncmp(text, mine, strlen(mine)) == 0 &&
		units_parse_int(text + strlen(mine), STDERR_FILENO + 1, INT_MAX,
			&fd, &err) < 0)
		fd = -1;
	free(mine);
	(void)unsetenv(VARIABLE);
	if (fd >= 0 && fd_set_cloexec((int)fd, true) < 0)
		fd = -1;
	return (int)fd;
}
