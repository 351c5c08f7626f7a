#pragma once

#include "ipc/message.h"

struct channel;
struct error;
struct event_base;

/*
 * Messages and descriptors over one end of a SOCK_SEQPACKET socketpair,
 * driven by libevent. What the other side does not take at once is queued.
 */

/* M lives for the call; descriptors in it that the callback does not take are
 * closed afterwards. */
typedef void (*channel_message_fn)(struct message *m, void *arg);

/* The other process is gone, or has sent what is no message. Called once; the
 * callback may free the channel. */
typedef void (*channel_closed_fn)(void *arg);

/* Two connected descriptors, close-on-exec, non-blocking. */
int channel_pair(int fds[2], struct error *err);

/* Owns FD from here on, also when it fails (NULL). */
struct channel *channel_new(struct event_base *base, int fd,
	channel_message_fn on_message, channel_closed_fn on_closed, void *arg,
	struct error *err);

/* Accepts NULL; may be called from its callbacks. */
void channel_free(struct channel **channel);

/* Its descriptor, borrowed; -1 at its end. Is everything sent that was to be?
 * For who hands it to another image of this process. */
int channel_fd(const struct channel *channel);
bool channel_is_flushed(const struct channel *channel);

/*
 * Sends M or queues it. Descriptors in M are duplicated when queued; the
 * caller keeps and closes its own. A message that is bad is a bug of ours
 * (assert). Returns 0, or -1 when the other side is gone, or has let 64 MiB
 * pile up, or memory or descriptors ran out: the channel is at its end then,
 * and on_closed follows from the loop.
 */
int channel_send(struct channel *channel, const struct message *m);
