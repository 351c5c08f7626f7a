/* The listening sockets that the service manager keeps. */
#include "supervisor/socket_store.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/addr.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/systemd.h"
#include "net/listen_socket.h"
#include "supervisor/handover.h"

#define NAME_PREFIX "sallyport-listen-"

/* A manager that is busy for longer is not waited for. */
#define DROP_TIMEOUT_MS 5000

struct stored {
	char name[SYSTEMD_NAME_MAX + 1];
	struct addr addr; /* bound to; of an inherited one only */
	int fd;           /* inherited and not taken yet; else -1 */
	bool wanted;
};

struct socket_store {
	struct stored *items;
	size_t n;
	size_t taken;
	bool on;
};

/* What a socket on ADDR is called now. -1: the kernel cannot tell it from
 * others, or its file is gone. */
static int
name_socket(int fd, const struct addr *addr, char out[SYSTEMD_NAME_MAX + 1])
{
	const char *path = addr_unix_path(addr);
	uint64_t cookie = listen_socket_cookie(fd);
	struct stat st;

	if (cookie == 0)
		return -1;
	if (path == NULL) {
		(void)snprintf(out, SYSTEMD_NAME_MAX + 1,
			NAME_PREFIX "%" PRIx64, cookie);
		return 0;
	}
	if (lstat(path, &st) < 0)
		return -1;
	(void)snprintf(out, SYSTEMD_NAME_MAX + 1,
		NAME_PREFIX "%" PRIx64 "-%" PRIxMAX "-%" PRIxMAX, cookie,
		(uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return 0;
}

static struct stored *
add(struct socket_store *store, const char *name)
{
	struct stored *stored;

	store->items =
		xreallocarray(store->items, store->n + 1, sizeof *store->items);
	stored = &store->items[store->n++];
	*stored = (struct stored){.fd = -1};
	(void)snprintf(stored->name, sizeof stored->name, "%s", name);
	return stored;
}

/* Is what came under this name what went in, and fit to be served? */
static bool
is_as_it_was(const struct stored *stored)
{
	char name[SYSTEMD_NAME_MAX + 1];
	struct error err;

	return listen_socket_adopt(stored->fd, &err) == 0 &&
	       name_socket(stored->fd, &stored->addr, name) == 0 &&
	       strcmp(name, stored->name) == 0;
}

struct socket_store *
socket_store_new(void)
{
	struct socket_store *store = xcalloc(1, sizeof *store);
	char name[SYSTEMD_NAME_MAX + 1];
	struct stored *stored;
	int fd;

	while ((fd = systemd_take_stored(NAME_PREFIX, name)) >= 0) {
		stored = add(store, name);
		stored->fd = fd;
		if (listen_socket_bound(fd, &stored->addr) < 0 ||
			!is_as_it_was(stored))
			stored->addr.kind = ADDR_NONE; /* nobody's wish */
	}
	return store;
}

void
socket_store_hand_over(
	const struct socket_store *store, struct handover *handover)
{
	size_t i;

	for (i = 0; i < store->n; i++)
		handover_add(handover, HANDOVER_STORED, store->items[i].name,
			"", -1);
}

void
socket_store_take_over(struct socket_store *store, struct handover *handover)
{
	struct handover_item *item;

	while ((item = handover_take(handover, HANDOVER_STORED)) != NULL)
		(void)add(store, item->name);
	store->on = store->n > 0;
}

void
socket_store_free(struct socket_store **store)
{
	struct socket_store *gone = *store;
	size_t i;

	*store = NULL;
	if (gone == NULL)
		return;
	for (i = 0; i < gone->n; i++)
		fd_close(&gone->items[i].fd);
	free(gone->items);
	free(gone);
}

static struct stored *
find(struct socket_store *store, const struct addr *addr)
{
	size_t i;

	if (addr->kind == ADDR_NONE)
		return NULL;
	for (i = 0; i < store->n; i++)
		if (store->items[i].fd >= 0 &&
			addr_equal(&store->items[i].addr, addr))
			return &store->items[i];
	return NULL;
}

void
socket_store_want(struct socket_store *store, const struct addr *addr)
{
	struct stored *stored = find(store, addr);

	if (stored != NULL)
		stored->wanted = true;
}

/* Out of the list, the manager's store, and the table of descriptors. */
static void
drop(struct socket_store *store, size_t index)
{
	systemd_unstore(store->items[index].name);
	fd_close(&store->items[index].fd);
	store->items[index] = store->items[--store->n];
}

/* Returns how many were dropped. */
static size_t
drop_all(struct socket_store *store, bool inherited_only)
{
	size_t i = 0, dropped = 0;

	while (i < store->n) {
		const struct stored *stored = &store->items[i];

		if (stored->wanted || (inherited_only && stored->fd < 0)) {
			i++;
			continue;
		}
		drop(store, i);
		dropped++;
	}
	/* As long as the manager holds it nobody can bind its address. */
	if (dropped > 0)
		systemd_wait_done(DROP_TIMEOUT_MS);
	return dropped;
}

void
socket_store_drop_unwanted(struct socket_store *store)
{
	(void)drop_all(store, true);
}

int
socket_store_take(struct socket_store *store, const struct addr *addr)
{
	struct stored *stored = find(store, addr);
	int fd;

	if (stored == NULL)
		return -1;
	fd = stored->fd;
	stored->fd = -1;
	store->taken++;
	return fd;
}

size_t
socket_store_taken(const struct socket_store *store)
{
	return store->taken;
}

void
socket_store_begin(struct socket_store *store, bool on)
{
	size_t i;

	store->on = on && systemd_has_store();
	for (i = 0; i < store->n; i++)
		store->items[i].wanted = false;
}

void
socket_store_keep(struct socket_store *store, int fd, const struct addr *addr)
{
	char name[SYSTEMD_NAME_MAX + 1];
	size_t i;

	if (!store->on || name_socket(fd, addr, name) < 0)
		return;
	for (i = 0; i < store->n; i++)
		if (strcmp(store->items[i].name, name) == 0) {
			store->items[i].wanted = true;
			return;
		}
	add(store, name)->wanted = true;
	systemd_store(name, fd);
}

void
socket_store_end(struct socket_store *store)
{
	(void)drop_all(store, false);
}

bool
socket_store_is_on(const struct socket_store *store)
{
	return store->on;
}
