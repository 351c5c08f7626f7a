#pragma once

#include <netinet/in.h>

/*
 * A nonblocking socket from SOURCE (port 0: any) that connects to TARGET.
 * Returns it, or -1 with errno. The caller owns it.
 */
int client_socket_open(
	const struct sockaddr_in *source, const struct sockaddr_in *target);
