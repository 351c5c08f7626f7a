#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "ipc/channel.h"
#include "ipc/child_args.h"

struct error;
struct event_base;

/*
 * One child process of the supervisor and the channel to it. A handle lives
 * until the process has been reaped.
 */
struct child;

struct child_callbacks {
	channel_message_fn on_message;
	/* The process is gone and reaped; STATUS as waitpid() gave it. The
	 * handle is freed right after. */
	void (*on_exit)(struct child *child, int status, void *arg);
};

/*
 * Starts a process in the role that ARGS say; channel_fd of ARGS is filled in
 * here. ARGS and its strings are borrowed for the call, stats_fd and
 * sessions_fd stay the caller's. ARG goes to both callbacks. NULL with ERR.
 */
struct child *child_start(struct event_base *base, struct child_args *args,
	const struct child_callbacks *callbacks, void *arg, struct error *err);

/*
 * A process that another image of this one has started: PID is still our child.
 * Takes CHANNEL_FD, also when it fails.
 */
struct child *child_adopt(struct event_base *base, pid_t pid, int channel_fd,
	const struct child_callbacks *callbacks, void *arg, struct error *err);

/* For such an image: the descriptor of the channel, borrowed; -1: it has hung
 * up, or has not read all that it was sent. */
int child_channel_fd(const struct child *child);

pid_t child_pid(const struct child *child);
uint64_t child_started_ms(const struct child *child);

/* Ignored when the process is gone already. */
void child_send(struct child *child, const struct message *m);
void child_kill(struct child *child, int signal);

/* Hands every ended process to its callback. To be called on SIGCHLD. */
void child_reap_all(void);

/* How many there are. */
unsigned child_count(void);

/* SIGKILL to all. */
void child_kill_all(void);
