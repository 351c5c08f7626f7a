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

/* Is stderr connected to the journal (JOURNAL_STREAM)? */
bool systemd_stderr_is_journal(void);

/* One native entry. Returns 0 or -1. */
int systemd_journal_send(const struct iovec *fields, size_t n);
