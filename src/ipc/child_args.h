#pragma once

#include <stdbool.h>
#include <stdint.h>

struct error;

/*
 * What a child process is told on its command line: written by the supervisor,
 * read by main(). Children are the same binary in another role (fork + exec),
 * because libevent's bases do not survive a fork, and because a fresh image
 * has an address space layout of its own and no inherited heap with secrets.
 */
enum child_role { CHILD_WORKER, CHILD_RESOLVER };

struct child_args {
	enum child_role role;
	int channel_fd;
	int stats_fd;    /* workers only; else -1 */
	int sessions_fd; /* workers only; else, or without any, -1 */
	uint64_t max_connections;
	int log_format; /* enum log_format */
	int log_level;  /* enum log_level */
	bool sandbox;
	char *user;  /* NULL: none given; borrowed */
	char *group; /* NULL: none given; borrowed */
};

/* argv[1] of every child. */
#define CHILD_ARGS_MARK "--child"

const char *child_role_name(enum child_role role);

/* A NULL-terminated argv for execve(); the caller frees it with
 * child_args_free(). */
char **child_args_format(const struct child_args *args);
void child_args_free(char ***argv);

/* The same back. Strings in OUT point into ARGV. */
int child_args_parse(
	int argc, char **argv, struct child_args *out, struct error *err);
