#include "config.h"

#include "base/systemd.h"

#ifdef HAVE_SYSTEMD

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* The place of the call would always be this file. */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-daemon.h>
#include <systemd/sd-journal.h>

bool
systemd_available(void)
{
	return true;
}

void
systemd_notify(const char *state)
{
	(void)sd_notify(0, state);
}

uint64_t
systemd_watchdog_us(void)
{
	uint64_t us = 0;

	return sd_watchdog_enabled(0, &us) > 0 ? us : 0;
}

size_t
systemd_listen_fds(const char *name, int *fds, size_t max)
{
	/* Asked once: the environment is cleared, so that no child of ours
	 * is told of sockets that are not its own. Never freed. */
	static char **names;
	static int n_names = -1;
	size_t n = 0;

	if (n_names < 0)
		n_names = sd_listen_fds_with_names(1, &names);
	if (n_names < 0)
		n_names = 0; /* a broken environment inherits nothing */
	for (int i = 0; i < n_names && n < max; i++) {
		if (strcmp(names[i], name) == 0)
			fds[n++] = SD_LISTEN_FDS_START + i;
	}
	return n;
}

bool
systemd_stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char ours[64];
	struct stat st;

	if (stream == NULL || fstat(STDERR_FILENO, &st) < 0)
		return false;
	(void)snprintf(ours, sizeof ours, "%" PRIuMAX ":%" PRIuMAX,
		(uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return strcmp(stream, ours) == 0;
}

int
systemd_journal_send(const struct iovec *fields, size_t n)
{
	return sd_journal_sendv(fields, (int)n) < 0 ? -1 : 0;
}

#else /* no libsystemd */

bool
systemd_available(void)
{
	return false;
}

void
systemd_notify(const char *state)
{
	(void)state;
}

uint64_t
systemd_watchdog_us(void)
{
	return 0;
}

size_t
systemd_listen_fds(const char *name, int *fds, size_t max)
{
	(void)name;
	(void)fds;
	(void)max;
	return 0;
}

bool
systemd_stderr_is_journal(void)
{
	return false;
}

int
systemd_journal_send(const struct iovec *fields, size_t n)
{
	(void)fields;
	(void)n;
	return -1;
}

#endif
