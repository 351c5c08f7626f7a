#include "config.h"

#include "client_socket.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "base/fd.h"

int
client_socket_open(
	const struct sockaddr_in *source, const struct sockaddr_in *target)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int on = 1;

	if (fd < 0)
		return -1;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	/* Else a source address has to have a port free for all targets. */
	(void)setsockopt(
		fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
	if (bind(fd, (const struct sockaddr *)source, sizeof *source) < 0)
		goto fail;
	if (connect(fd, (const struct sockaddr *)target, sizeof *target) < 0 &&
		errno != EINPROGRESS)
		goto fail;
	return fd;

fail:
	fd_close(&fd); /* keeps errno */
	return -1;
}
