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

#include "base/mem.h"

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

/* An inherited descriptor; one that was taken has none. Never freed. */
struct inherited {
	char *name;
	int fd;
};

static struct inherited *inherited;
static size_t n_inherited;

void
systemd_inherit(const char *name, int fd)
{
	inherited =
		xreallocarray(inherited, n_inherited + 1, sizeof *inherited);
	inherited[n_inherited++] = (struct inherited){xstrdup(name), fd};
}

/* The environment is cleared with it, so that no child of ours is told of
 * sockets that are not its own. */
static void
read_environment(void)
{
	char **names = NULL;
	/* A broken environment inherits nothing. */
	int n = sd_listen_fds_with_names(1, &names);

	for (int i = 0; i < n; i++) {
		systemd_inherit(names[i], SD_LISTEN_FDS_START + i);
		free(names[i]);
	}
	free(names);
}

size_t
systemd_listen_fds(const char *name, int *fds, size_t max)
{
	size_t n = 0;

	read_environment();
	for (size_t i = 0; i < n_inherited && n < max; i++) {
		if (inherited[i].fd >= 0 &&
			strcmp(inherited[i].name, name) == 0)
			fds[n++] = inherited[i].fd;
	}
	return n;
}

const char *
systemd_inherited(size_t index, int *fd_out)
{
	read_environment();
	if (index >= n_inherited)
		return NULL;
	*fd_out = inherited[index].fd;
	return inherited[index].name;
}

bool
systemd_has_store(void)
{
	const char *most = getenv("FDSTORE");

	return getenv("NOTIFY_SOCKET") != NULL &&
	       (most == NULL || strcmp(most, "0") != 0);
}

void
systemd_store(const char *name, int fd)
{
	char state[SYSTEMD_NAME_MAX + 64];

	/* Unless told otherwise the manager drops a descriptor on which it
	 * polls an error or a hang-up. */
	(void)snprintf(
		state, sizeof state, "FDSTORE=1\nFDPOLL=0\nFDNAME=%s", name);
	(void)sd_pid_notify_with_fds(0, 0, state, &fd, 1);
}

void
systemd_unstore(const char *name)
{
	char state[SYSTEMD_NAME_MAX + 64];

	(void)snprintf(state, sizeof state, "FDSTOREREMOVE=1\nFDNAME=%s", name);
	(void)sd_notify(0, state);
}

void
systemd_wait_done(uint64_t timeout_ms)
{
	(void)sd_notify_barrier(0, timeout_ms * 1000);
}

int
systemd_take_stored(const char *prefix, char name_out[SYSTEMD_NAME_MAX + 1])
{
	read_environment();
	for (size_t i = 0; i < n_inherited; i++) {
		int fd = inherited[i].fd;

		if (fd < 0 ||
			strncmp(inherited[i].name, prefix, strlen(prefix)) != 0)
			continue;
		(void)snprintf(name_out, SYSTEMD_NAME_MAX + 1, "%s",
			inherited[i].name);
		inherited[i].fd = -1;
		return fd;
	}
	return -1;
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

const char *
systemd_inherited(size_t index, int *fd_out)
{
	(void)index;
	(void)fd_out;
	return NULL;
}

void
systemd_inherit(const char *name, int fd)
{
	(void)name;
	(void)fd;
}

bool
systemd_has_store(void)
{
	return false;
}

void
systemd_store(const char *name, int fd)
{
	(void)name;
	(void)fd;
}

void
systemd_unstore(const char *name)
{
	(void)name;
}

void
systemd_wait_done(uint64_t timeout_ms)
{
	(void)timeout_ms;
}

int
systemd_take_stored(const char *prefix, char name_out[SYSTEMD_NAME_MAX + 1])
{
	(void)prefix;
	name_out[0] = '\0';
	return -1;
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
