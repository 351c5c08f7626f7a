/* Where the lines of the log go. */
#include "config.h"

#include "base/log_output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of the process: there is one stderr. */
static int output = STDERR_FILENO;
static bool is_socket;
static bool is_open;
static unsigned long lost;
static int patience_ms;
static bool is_stuck; /* was waited for in vain */

void
log_output_open(void)
{
	struct stat st;
	int fd = -1;

	if (is_open || fstat(STDERR_FILENO, &st) < 0)
		return;
	is_open = true;
	is_socket = S_ISSOCK(st.st_mode);
	if (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode))
		fd = open("/proc/self/fd/2",
			O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd >= 0)
		output = fd;
}

static ssize_t
put(const char *line, size_t len)
{
	return is_socket ? send(output, line, len, MSG_DONTWAIT | MSG_NOSIGNAL)
			 : write(output, line, len);
}

static ssize_t
put_all(const char *line, size_t len)
{
	ssize_t n;

	do
		n = put(line, len);
	while (n < 0 && errno == EINTR);
	return n;
}

void
log_output_set_patience(int ms)
{
	patience_ms = ms;
}

static bool
wait_for_room(void)
{
	struct pollfd room = {.fd = output, .events = POLLOUT};

	if (patience_ms == 0 || is_stuck)
		return false;
	is_stuck = poll(&room, 1, patience_ms) == 0;
	return !is_stuck;
}

bool
log_output_write(const char *line, size_t len)
{
	ssize_t n = put_all(line, len);

	if (n < 0 && errno == EAGAIN && wait_for_room())
		n = put_all(line, len);
	/* The rest of a line that was cut would run into the next one; a pipe
	 * takes up to PIPE_BUF bytes whole or not at all (pipe(7)). */
	if (n > 0 && (size_t)n < len)
		(void)put("\n", 1);
	if (n == (ssize_t)len) {
		is_stuck = false;
		return true;
	}
	lost++;
	return false;
}

unsigned long
log_output_lost(void)
{
	unsigned long n = lost;

	lost = 0;
	return n;
}
