#include "config.h"

#include "conf/disk_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/text.h"

/* What a directory of CAs is far from. */
#define NAMES_MAX 100000

static int
vet_mode(const struct stat *st, struct error *err)
{
	if ((st->st_mode & 007) == 0)
		return 0;
	return error_set(err, "is accessible by others (mode %04o); chmod 0600",
		(unsigned)(st->st_mode & 07777));
}

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
	return private ? vet_mode(&st, err) : 0;
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

static int
compare_names(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

static int
list_dir(DIR *dir, struct text_list *names, struct error *err)
{
	const struct dirent *entry;

	for (errno = 0; (entry = readdir(dir)) != NULL; errno = 0) {
		if (strcmp(entry->d_name, ".") == 0 ||
			strcmp(entry->d_name, "..") == 0)
			continue;
		if (names->n >= NAMES_MAX)
			return error_set(
				err, "holds more than %d files", NAMES_MAX);
		text_list_add(names, entry->d_name);
	}
	if (errno != 0)
		return error_set(err, "%s", strerror(errno));
	return 0;
}

int
disk_file_list(const char *path, struct text_list *names, struct error *err)
{
	DIR *dir = opendir(path);
	int rc;

	if (dir == NULL)
		return error_set(err, "%s", strerror(errno));
	rc = list_dir(dir, names, err);
	(void)closedir(dir);
	if (names->n > 0)
		qsort(names->items, names->n, sizeof *names->items,
			compare_names);
	return rc;
}

/* In a directory that everybody may write to, somebody else may have made the
 * file first, to be given our secrets. */
static int
vet_output(int fd, struct error *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return error_set(err, "%s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return error_set(err, "is not a regular file");
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return error_set(err, "belongs to another user");
	return vet_mode(&st, err);
}

int
disk_file_append(const char *path, struct error *err)
{
	/* O_NONBLOCK: open() of a FIFO would wait for a reader. */
	int fd = open(path,
		O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC |
			O_NONBLOCK | O_NOCTTY,
		0600);

	if (fd < 0)
		return error_set(err, "%s",
			errno == ELOOP ? "is a symbolic link"
				       : strerror(errno));
	if (vet_output(fd, err) < 0)
		fd_close(&fd);
	return fd;
}

bool
disk_file_is_missing(const char *path)
{
	struct stat st;

	return lstat(path, &st) < 0 && errno == ENOENT;
}

int
disk_file_try_append(const char *path, struct error *err)
{
	char *copy = xstrdup(path);
	int fd = -1;

	if (access(dirname(copy), W_OK | X_OK) == 0)
		fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		(void)error_set(err, "%s", strerror(errno));
	free(copy);
	return fd;
}
