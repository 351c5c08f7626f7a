#pragma once

#include <stddef.h>

/*
 * Processes that share one job: as many members as it takes to hold more
 * connections than one process may have descriptors. A member dies with its
 * parent. Each has a socket to the parent ("control") for words of one byte.
 */

#define TEAM_MAX 16

struct team;

/* What a member does; its result is the member's exit status. */
typedef int (*team_member_fn)(size_t number, int control, void *arg);

/* Forks SIZE members (1..TEAM_MAX); dies when it cannot. The caller owns. */
struct team *team_start(size_t size, team_member_fn run, void *arg);

/* Sends WORD to every member. */
void team_tell(struct team *team, char word);

/* Waits until every member has said WORD. -1: one has ended, or said another;
 * it has told on stderr why. */
int team_await(struct team *team, char word);

/* Waits for all to end. Returns -1 unless each ended with status 0. Frees. */
int team_finish(struct team **team);

/* The same, but kills them first. */
void team_kill(struct team **team);

/* Zeroed memory that members forked afterwards share with the parent; never
 * freed. Dies when there is none. */
void *team_memory(size_t size);
