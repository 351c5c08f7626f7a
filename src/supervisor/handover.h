#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "supervisor/ticket_secret.h"

struct error;

/*
 * What the supervisor of one binary leaves to that of the next, which takes its
 * place in the same process (execve(2)): descriptors by number, which stay open
 * across it, and what they are. Written into sealed memory; a reader trusts
 * none of it. Descriptors are borrowed until somebody takes them.
 *
 * HANDOVER_FORMAT changes with what is written here or in the bundles that go
 * along; a binary takes over from one with the same format only.
 */
#define HANDOVER_FORMAT "sallyport handover 2"

/* More is not read. */
#define HANDOVER_MAX ((size_t)4 * 1024 * 1024)

enum handover_kind {
	HANDOVER_SOCKET,    /* name: the listener; where: address, as written */
	HANDOVER_OUTPUT,    /* where: the path of what is appended to */
	HANDOVER_INHERITED, /* name: what the service manager calls it */
	HANDOVER_STORED,    /* name of what it keeps; no descriptor here */
	HANDOVER_ADMIN,     /* where: the path of the admin socket */
	HANDOVER_SESSIONS,  /* the memory of sessions that workers share */
	HANDOVER_N_KINDS
};

struct handover_item {
	enum handover_kind kind;
	char *name;  /* "" where there is none */
	char *where; /* "" where there is none */
	int fd;      /* -1 where there is none */
	bool taken;
};

struct handover_worker {
	unsigned index;
	pid_t pid;
	bool leaving; /* does not accept any more */
	bool foreign; /* speaks another protocol even now */
	int channel_fd;
	int stats_fd;
};

struct handover {
	char *version;  /* of the binary that hands over */
	char *protocol; /* of its workers' messages */
	char *program;  /* path that it was started by */
	uint64_t generation;
	uint64_t next_generation;
	int public_fd, secret_fd; /* the bundles of that generation */
	uint8_t ticket_secret[TICKET_SECRET_SIZE];
	bool ticket_secret_stored;
	struct handover_item *items;
	size_t n_items;
	struct handover_worker *workers;
	size_t n_workers;
};

/* Frees and wipes; descriptors stay as they are. */
void handover_done(struct handover *handover);

/* Copies the texts. */
void handover_add(struct handover *handover, enum handover_kind kind,
	const char *name, const char *where, int fd);
void handover_add_worker(
	struct handover *handover, const struct handover_worker *worker);

/* The next item of KIND, whose descriptor is the caller's now. NULL: there is
 * none left. Valid as long as HANDOVER. */
struct handover_item *handover_take(
	struct handover *handover, enum handover_kind kind);

/* Sealed memory that says all of it; -1 with ERR. */
int handover_write(const struct handover *handover, struct error *err);

/* Reads what FD has, which stays open. Returns -1 with ERR for another format
 * and for what makes no sense: descriptors named twice, or standard ones. */
int handover_read(int fd, struct handover *out, struct error *err);

/* The same without a descriptor. */
int handover_decode(
	const char *bytes, size_t len, struct handover *out, struct error *err);

/* Whether all descriptors in it are closed by execve(2). -1 with errno: one
 * is not open. */
int handover_set_cloexec(const struct handover *handover, bool on);

/* Across execve(2): the environment says where FD is. Whoever finds it there
 * (-1: nothing for this process) owns it and removes it. */
void handover_announce(int fd);
int handover_find(void);
