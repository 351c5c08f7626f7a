/* The secret that session tickets are derived from. */
#define _GNU_SOURCE
#include "supervisor/ticket_secret.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/systemd.h"
#include "supervisor/handover.h"

#define STORE_NAME "ticket-secret"

#define SEALS (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL)

/* Into BYTES, if FD is memory that nobody can have changed since. */
static bool
read_sealed(int fd, uint8_t bytes[TICKET_SECRET_SIZE])
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;

	return seals >= 0 && (seals & SEALS) == SEALS && fstat(fd, &st) == 0 &&
	       S_ISREG(st.st_mode) && st.st_size == TICKET_SECRET_SIZE &&
	       pread(fd, bytes, TICKET_SECRET_SIZE, 0) == TICKET_SECRET_SIZE;
}

/* The first good one; all of them are closed. */
static void
inherit(struct ticket_secret *secret)
{
	char name[SYSTEMD_NAME_MAX + 1];
	bool bad = false;
	int fd;

	while ((fd = systemd_take_stored(STORE_NAME, name)) >= 0) {
		if (secret->inherited || strcmp(name, STORE_NAME) != 0 ||
			!read_sealed(fd, secret->bytes))
			bad = true;
		else
			secret->inherited = true;
		fd_close(&fd);
	}
	if (!bad) {
		secret->stored = secret->inherited;
		return;
	}
	/* Removed by name, the good one too: ticket_secret_store() puts it
	 * back. */
	log_msg(LOG_LEVEL_WARN,
		"the service manager kept a ticket secret that is none");
	systemd_unstore(STORE_NAME);
}

void
ticket_secret_init(struct ticket_secret *secret)
{
	*secret = (struct ticket_secret){.inherited = false};
	inherit(secret);
	if (!secret->inherited && getrandom(secret->bytes, sizeof secret->bytes,
					  0) != sizeof secret->bytes)
		abort();
}

void
ticket_secret_store(struct ticket_secret *secret, bool on)
{
	struct error err;
	int fd;

	on = on && systemd_has_store();
	if (on == secret->stored)
		return;
	secret->stored = on;
	if (!on) {
		systemd_unstore(STORE_NAME);
		return;
	}
	fd = fd_sealed_memfd(
		STORE_NAME, secret->bytes, sizeof secret->bytes, &err);
	if (fd < 0)
		log_msg(LOG_LEVEL_WARN, "%s", err.text);
	else
		systemd_store(STORE_NAME, fd);
	fd_close(&fd);
}

void
ticket_secret_hand_over(
	const struct ticket_secret *secret, struct handover *handover)
{
	memcpy(handover->ticket_secret, secret->bytes, sizeof secret->bytes);
	handover->ticket_secret_stored = secret->stored;
}

void
ticket_secret_take_over(
	struct ticket_secret *secret, const struct handover *handover)
{
	memcpy(secret->bytes, handover->ticket_secret, sizeof secret->bytes);
	secret->stored = handover->ticket_secret_stored;
}

void
ticket_secret_done(struct ticket_secret *secret)
{
	mem_wipe(secret->bytes, sizeof secret->bytes);
}
