#include "config.h"

#include "base/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"

/* Linux 6.3; older headers do not know it. */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

void
fd_close(int *fd)
{
	const int saved = errno;

	if (*fd != -1)
		(void)close(*fd); /* no retry: Linux has closed it anyway */
	*fd = -1;
	errno = saved;
}

int
fd_set_nonblocking(int fd, bool on)
{
	const int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return -1;
	return fcntl(
		fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
}

int
fd_set_cloexec(int fd, bool on)
{
	const int flags = fcntl(fd, F_GETFD);

	if (flags < 0)
		return -1;
	return fcntl(
		fd, F_SETFD, on ? flags | FD_CLOEXEC : flags & ~FD_CLOEXEC);
}

int
fd_sealed_memfd(
	const char *name, const void *bytes, size_t len, struct error *err)
{
	const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int fd = memfd_create(name, flags | MFD_NOEXEC_SEAL);

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(name, flags);
	if (fd < 0)
		return error_set_errno(err, errno, "memfd \"%s\"", name);
	if (fd_write_all(fd, bytes, len) < 0 || lseek(fd, 0, SEEK_SET) < 0 ||
		fcntl(fd, F_ADD_SEALS,
			F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK |
				F_SEAL_SEAL) < 0)
		goto fail;
	return fd;

fail:
	(void)error_set_errno(err, errno, "memfd \"%s\"", name);
	fd_close(&fd);
	return -1;
}

/* A buffer that may hold a secret: what it leaves behind is wiped. */
struct buffer {
	char *bytes;
	size_t len;
	size_t size;
};

static void
buffer_free(struct buffer *buffer)
{
	mem_wipe(buffer->bytes, buffer->size);
	free(buffer->bytes);
	*buffer = (struct buffer){0};
}

/* Not realloc(), which leaves a copy of the old bytes in the heap. */
static int
buffer_grow(struct buffer *buffer, size_t size)
{
	struct buffer wider = {.len = buffer->len, .size = size};

	wider.bytes = malloc(size);
	if (wider.bytes == NULL)
		return -1;
	if (buffer->len > 0)
		memcpy(wider.bytes, buffer->bytes, buffer->len);
	buffer_free(buffer);
	*buffer = wider;
	return 0;
}

/* Room for the whole file if its size is known, the extra NUL and the byte
 * that tells that there is no more. */
static size_t
first_size(int fd, size_t limit)
{
	struct stat st;
	size_t size = 4096;

	if (fstat(fd, &st) == 0 && st.st_size > 0)
		size = (uintmax_t)st.st_size > limit ? limit
						     : (size_t)st.st_size;
	return size + 2;
}

/* One read; 1 for bytes, 0 for the end, -1 with errno. */
static int
read_some(int fd, struct buffer *buffer)
{
	ssize_t got;

	if (buffer->size - buffer->len < 2 &&
		buffer_grow(buffer, buffer->size * 2) < 0)
		return -1;
	do
		got = pread(fd, buffer->bytes + buffer->len,
			buffer->size - buffer->len - 1, (off_t)buffer->len);
	while (got < 0 && errno == EINTR);
	if (got <= 0)
		return (int)got;
	buffer->len += (size_t)got;
	return 1;
}

int
fd_read_all(int fd, size_t limit, char **bytes_out, size_t *len_out,
	struct error *err)
{
	struct buffer buffer = {0};
	int more = 1;

	if (buffer_grow(&buffer, first_size(fd, limit)) < 0)
		more = -1;
	while (more > 0 && buffer.len <= limit)
		more = read_some(fd, &buffer);
	if (more < 0) {
		(void)error_set_errno(err, errno, "cannot read");
		goto fail;
	}
	if (buffer.len > limit) {
		(void)error_set(err, "is larger than %zu bytes", limit);
		goto fail;
	}
	buffer.bytes[buffer.len] = '\0';
	*bytes_out = buffer.bytes;
	*len_out = buffer.len;
	return 0;

fail:
	buffer_free(&buffer);
	return -1;
}

int
fd_write_all(int fd, const void *bytes, size_t len)
{
	const char *rest = bytes;

	while (len > 0) {
		const ssize_t put = write(fd, rest, len);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -1;
		rest += put;
		len -= (size_t)put;
	}
	return 0;
}

int
fd_fill_standard(void)
{
	int fd;

	/* Not close-on-exec: children need them as well. */
	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0)
			return -1;
	return 0;
}

size_t
fd_raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return (size_t)sysconf(_SC_OPEN_MAX);
	if (limit.rlim_cur < limit.rlim_max) {
		const rlim_t before = limit.rlim_cur;

		limit.rlim_cur = limit.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
			limit.rlim_cur = before;
	}
	return (size_t)limit.rlim_cur;
}

/* For kernels before 5.11. */
static void
cloexec_walk(int first)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;

	if (dir == NULL) {
		const int end = (int)sysconf(_SC_OPEN_MAX);

		for (int fd = first; fd < end; fd++)
			(void)fd_set_cloexec(fd, true);
		return;
	}
	while ((entry = readdir(dir)) != NULL) {
		char *rest;
		const long fd = strtol(entry->d_name, &rest, 10);

		if (rest != entry->d_name && fd >= first && fd <= INT_MAX)
			(void)fd_set_cloexec((int)fd, true);
	}
	(void)closedir(dir);
}

void
fd_cloexec_from(int first)
{
	if (close_range((unsigned)first, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		cloexec_walk(first);
}
