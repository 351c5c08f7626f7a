#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Connected sockets, for tests. Every failure ends the test. */

/* How long a test waits for what must happen. */
#define SOCKETS_DEADLINE_MS 10000

/* Both ends of a connection over loopback: only TCP has resets. The local end
 * does not block. */
void tcp_pair(int *peer_out, int *local_out);

/* The same over unix sockets, with small buffers on both ends. */
void unix_pair(int *peer_out, int *local_out);

/* A listening socket of 127.0.0.1 and the port that the kernel chose for it;
 * does not block. */
int tcp_listen(unsigned short *port_out);

/* SO_SNDBUF and SO_RCVBUF as small as the kernel has them. */
void shrink_buffers(int fd);

/* close() becomes a reset. */
void close_with_reset(int fd);

void wait_readable(int fd);

/* Blocks until LEN bytes are there, and takes them. */
void recv_all(int fd, void *out, size_t len);

bool is_open(int fd);
