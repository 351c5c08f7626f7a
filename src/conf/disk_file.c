#include "config.h"

#include "conf/disk_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/fd.h"

static int
vet(int fd, bool private, size_t limit, struct error *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return error_set(err, "%s", strerror(errno));
	if (S_ISDIR(st.st_mode))
		return error_set(err, "%s", strerror(EISDIR));
	if (!S_ISREG(st.st_mode))
		return error_set(err, "is not a regular file");
	if ((uintmax_t)st.st_size > limit)
		return error_set(err, "is larger than %zu bytes", limit);
	if (private && (st.st_mode & 007) != 0)
		return error_set(err,
			"is accessible by others (mode %04o); chmod 0600",
			(unsigned)(st.st_mode & 07777));
	return 0;
}

int
disk_file_read(const char *path, bool private, size_t limit, char **bytes_out,
	size_t *len_out, struct error *err)
{
	/* O_NONBLOCK: open() of a FIFO would wait for a writer. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int rc;

	if (fd < 0)
		return error_set(err, "%s", strerror(errno));
	rc = vet(fd, private, limit, err);
	if (rc == 0)
		rc = fd_read_all(fd, limit, bytes_out, len_out, err);
	fd_close(&fd);
	return rc;
}
