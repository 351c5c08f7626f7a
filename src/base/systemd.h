#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct iovec;
struct error;

/*
 * The only door to libsystemd (sd_notify(3), sd_listen_fds(3),
 * sd_journal_sendv(3)). Without the library every function is a no-op that
 * says so: systemd_available() is false and no socket is ever found.
 */
bool systemd_available(void);

/* Sends STATE ("READY=1\nSTATUS=...") if the service manager listens. Never
 * fails loudly: a manager that is away is not our problem. */
void systemd_notify(const char *state);

/* WatchdogSec= of the unit in microseconds; 0 when there is none. */
uint64_t systemd_watchdog_us(void);

/*
 * Every inherited socket (LISTEN_FDS) that is called NAME (LISTEN_FDNAMES);
 * the descriptors stay open and belong to the caller. Returns how many were
 * put into FDS, at most MAX. Without LISTEN_FDS: 0.
 */
size_t systemd_listen_fds(const char *name, int *fds, size_t max);

/*
 * All of them, for another image of this process: the INDEXth one's name, NULL
 * beyond the last; FD_OUT is -1 for one that was taken. That image is told of
 * each; it belongs to this room from then on.
 */
const char *systemd_inherited(size_t index, int *fd_out);
void systemd_inherit(const char *name, int fd);

/*
 * The file descriptor store (FileDescriptorStoreMax=): the service manager
 * keeps a duplicate of what it is given, and hands it to the next process of
 * the service among the inherited ones, under its name. A name is up to
 * SYSTEMD_NAME_MAX printable ASCII characters without a colon.
 */
#define SYSTEMD_NAME_MAX 255

/* Is there a manager that may keep something? An old one (before 254) does not
 * say, and forgets in silence what it is given. */
bool systemd_has_store(void);

/* Stores a duplicate of FD. Says nothing of whether it was taken. */
void systemd_store(const char *name, int fd);

/* Removes all of that name. */
void systemd_unstore(const char *name);

/* Waits until the manager has done all that it was told so far, for TIMEOUT_MS
 * at the most. */
void systemd_wait_done(uint64_t timeout_ms);

/*
 * The first inherited descriptor whose name begins with PREFIX; its name goes
 * to NAME_OUT. It is the caller's now and no longer among the inherited ones,
 * so the next call gives the next one. -1 when there is none left.
 */
int systemd_take_stored(
	const char *prefix, char name_out[SYSTEMD_NAME_MAX + 1]);

/* Is stderr connected to the journal (JOURNAL_STREAM)? */
bool systemd_stderr_is_journal(void);

/* One native entry. Returns 0 or -1. */
int systemd_journal_send(const struct iovec *fields, size_t n);
