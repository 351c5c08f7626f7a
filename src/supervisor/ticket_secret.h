#pragma once

#include <stdbool.h>
#include <stdint.h>

#define TICKET_SECRET_SIZE 32

/*
 * The secret that session tickets are derived from where no
 * ticket_secret_file is set: random for each start. With a service manager that
 * stores descriptors it outlives the process, so that sessions resume after a
 * restart. Never logged; the caller's storage.
 */
struct ticket_secret {
	uint8_t bytes[TICKET_SECRET_SIZE];
	bool inherited;
	bool stored;
};

/* Takes the one that the manager kept, or makes a new one. What was kept and is
 * no sealed memory of the right size is not used, and leaves the store. */
void ticket_secret_init(struct ticket_secret *secret);

/* ON: the manager is to keep it; else it is to forget it. */
void ticket_secret_store(struct ticket_secret *secret, bool on);

/* To another image of this process, and from one. */
struct handover;
void ticket_secret_hand_over(
	const struct ticket_secret *secret, struct handover *handover);
void ticket_secret_take_over(
	struct ticket_secret *secret, const struct handover *handover);

/* Wipes it. The manager keeps what it has. */
void ticket_secret_done(struct ticket_secret *secret);
