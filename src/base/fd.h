#pragma once

#include <stdbool.h>
#include <stddef.h>

struct error;

/* Descriptors. All that is made here is close-on-exec. */

/* Closes *FD unless it is -1, sets it to -1, keeps errno. */
void fd_close(int *fd);

int fd_set_nonblocking(int fd, bool on);
int fd_set_cloexec(int fd, bool on);

/*
 * A memfd that holds BYTES, rewound and sealed against every change (no
 * write, grow, shrink, reseal). NAME shows in /proc only. The caller owns the
 * descriptor. Returns it, or -1 with ERR.
 */
int fd_sealed_memfd(
	const char *name, const void *bytes, size_t len, struct error *err);

/*
 * Everything in FD from its start, whatever its offset (pread), as one
 * malloc'd block that ends with an extra NUL which *LEN_OUT does not count.
 * More than LIMIT bytes is an error. The caller frees.
 */
int fd_read_all(int fd, size_t limit, char **bytes_out, size_t *len_out,
	struct error *err);

/* write() all of it, through EINTR and short writes; 0 or -1 with errno. */
int fd_write_all(int fd, const void *bytes, size_t len);

/* Opens /dev/null as each of the descriptors 0 to 2 that is closed; 0 or -1
 * with errno. Else what is opened first would be one of them: a socket or a
 * file that the log is written to. To be called before anything is opened. */
int fd_fill_standard(void);

/* Raises the soft RLIMIT_NOFILE to the hard one; returns what is now in
 * force, in descriptors. */
size_t fd_raise_limit(void);

/*
 * Marks every descriptor from FIRST on close-on-exec (close_range(2), with a
 * walk of /proc/self/fd where the kernel lacks it), so that a child gets only
 * what it is handed by number.
 */
void fd_cloexec_from(int first);
