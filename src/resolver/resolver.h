#pragma once

#include <stdbool.h>

/*
 * The entry of the resolver process: asks the system what host names mean,
 * because getaddrinfo(3) blocks, reads files and speaks to name servers, all
 * of which a worker must not.
 *
 * The caller has called log_open() and dropped root. Owns CHANNEL_FD, a
 * channel to the supervisor: confines itself if SANDBOX, sends MESSAGE_READY,
 * then answers each MESSAGE_RESOLVE, one after the other, with a
 * MESSAGE_RESOLVED.
 *
 * Returns the exit status of the process: 0 when the supervisor closed the
 * channel; 1 when it could not start or was sent what it does not understand
 * (logged).
 */
int resolver_main(int channel_fd, bool sandbox);
