#pragma once

#include <stdbool.h>
#include <stddef.h>

struct addr;
struct handover;

/*
 * The listening sockets that the service manager keeps for us while nobody of
 * us lives, so that no client is refused meanwhile (sd_notify(3), FDSTORE=1).
 * What is in the store here is what the manager has.
 *
 * A stored socket is called by its kernel's cookie, and a unix one by the
 * device and inode of its file too: an inherited one whose name does not fit
 * it any more (somebody else has made the file anew) is not taken.
 *
 * Without a manager that stores everything here does nothing.
 */
struct socket_store;

/* Takes the inherited ones that are ours. */
struct socket_store *socket_store_new(void);

/* The names of what the manager keeps, to another image of this process and
 * from one. */
void socket_store_hand_over(
	const struct socket_store *store, struct handover *handover);
void socket_store_take_over(
	struct socket_store *store, struct handover *handover);

/* Closes what nobody has taken. The manager keeps it. Accepts NULL. */
void socket_store_free(struct socket_store **store);

/*
 * Before sockets are opened: ADDR is going to be asked for. What is inherited
 * and nobody wants is dropped, here and at the manager, and is gone when
 * socket_store_drop_unwanted() returns, for its address may be in the way.
 */
void socket_store_want(struct socket_store *store, const struct addr *addr);
void socket_store_drop_unwanted(struct socket_store *store);

/* The inherited socket that is bound to ADDR and listens, now the caller's; -1
 * when there is none. Port 0 is no address: it means another port each time. */
int socket_store_take(struct socket_store *store, const struct addr *addr);

/* How many of them were taken. */
size_t socket_store_taken(const struct socket_store *store);

/*
 * After a commit: each socket that is served and that we opened. What was not
 * named again between the two other calls leaves the store. ON: is there to be
 * a store?
 */
void socket_store_begin(struct socket_store *store, bool on);
void socket_store_keep(
	struct socket_store *store, int fd, const struct addr *addr);
void socket_store_end(struct socket_store *store);

/* Are sockets kept after our end, so that their files must stay too? */
bool socket_store_is_on(const struct socket_store *store);
