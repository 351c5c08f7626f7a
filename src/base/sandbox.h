#pragma once

#include <stdbool.h>
#include <stddef.h>

struct error;

/*
 * What a process gives up before it meets a peer. Each role calls, in this
 * order: sandbox_no_core(), sandbox_die_with_parent(), sandbox_drop_user(),
 * then - when everything that needs files is loaded - sandbox_confine(). The
 * supervisor and `check`, which read keys, call the first.
 */
enum sandbox_role {
	SANDBOX_WORKER,  /* no files, no execve, no listening; sockets only */
	SANDBOX_RESOLVER /* reads files and the network, writes nothing */
};

/* No core dump, not ptraceable by others. */
void sandbox_no_core(void);

/*
 * PDEATHSIG. A parent that died before this call is not noticed: in a container
 * getppid() cannot tell. The end of its channel does.
 */
void sandbox_die_with_parent(void);

/*
 * Of the capabilities that a service manager gave (AmbientCapabilities=) the
 * next image gets none. Between fork and execve: this one keeps them.
 */
void sandbox_drop_ambient(void);

/*
 * When running as root: become USER and GROUP (NULL: the user's own group),
 * with that user's supplementary groups, for good. Otherwise does nothing.
 * With USER NULL root becomes "nobody". What the two above did is done
 * again, since the kernel undoes it here.
 */
int sandbox_drop_user(const char *user, const char *group, struct error *err);

/* Could sandbox_drop_user() become these? For who reads the names long before:
 * -1 with ERR when there is no such user or group. Not root: always. */
int sandbox_find_user(const char *user, const char *group, struct error *err);

/*
 * no_new_privs, no capability, Landlock (all of the file system denied, as far
 * as the kernel knows how), seccomp (an allow list per role, EPERM for the
 * rest; only when built with libseccomp). What the kernel or the build lacks
 * is left out and named in LACKING_OUT (a literal such as "landlock", or
 * NULL): a sandbox is a second wall, its absence no reason not to serve.
 * Built with AddressSanitizer, which can live in neither, both are lacking.
 * Fails only when a wall that exists could not be put up.
 */
int sandbox_confine(
	enum sandbox_role role, const char **lacking_out, struct error *err);
