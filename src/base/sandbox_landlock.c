#include "config.h"

#include "base/sandbox_landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"

/* What newer kernels know and older headers do not. */
#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13)
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15)
#endif
#ifndef LANDLOCK_ACCESS_NET_BIND_TCP
#define LANDLOCK_ACCESS_NET_BIND_TCP (1ULL << 0)
#endif
#ifndef LANDLOCK_SCOPE_SIGNAL
#define LANDLOCK_SCOPE_SIGNAL (1ULL << 1)
#endif

/* The kernel's struct landlock_ruleset_attr as of ABI 6. An older kernel
 * takes the longer struct as long as what it does not know is zero. */
struct ruleset {
	uint64_t handled_access_fs;
	uint64_t handled_access_net;
	uint64_t scoped;
};

static int
landlock_abi(void)
{
	return (int)syscall(SYS_landlock_create_ruleset, NULL, 0,
		LANDLOCK_CREATE_RULESET_VERSION);
}

static struct ruleset
ruleset_for(enum sandbox_role role, int abi)
{
	struct ruleset rules = {0};

	/* Every right up to MAKE_SYM is of ABI 1. */
	rules.handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;
	if (abi >= 2)
		rules.handled_access_fs |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= 3)
		rules.handled_access_fs |= LANDLOCK_ACCESS_FS_TRUNCATE;
	if (abi >= 4 && role == SANDBOX_WORKER)
		rules.handled_access_net = LANDLOCK_ACCESS_NET_BIND_TCP;
	if (abi >= 5)
		rules.handled_access_fs |= LANDLOCK_ACCESS_FS_IOCTL_DEV;
	/* Abstract unix sockets stay in reach: a backend may be one. */
	if (abi >= 6)
		rules.scoped = LANDLOCK_SCOPE_SIGNAL;
	return rules;
}

static int
allow_reading(int ruleset_fd, struct error *err)
{
	struct landlock_path_beneath_attr beneath = {
		.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE |
				  LANDLOCK_ACCESS_FS_READ_DIR,
		.parent_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)};
	long result;

	if (beneath.parent_fd < 0)
		return error_set_errno(err, errno, "cannot open /");
	result = syscall(SYS_landlock_add_rule, ruleset_fd,
		LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
	if (result < 0)
		(void)error_set_errno(err, errno, "landlock_add_rule");
	(void)close(beneath.parent_fd);
	return result < 0 ? -1 : 0;
}

int
sandbox_landlock(enum sandbox_role role, struct error *err)
{
	const int abi = landlock_abi();
	const struct ruleset rules = ruleset_for(role, abi);
	int result = -1;
	int fd;

	if (abi < 1)
		return 0; /* not built in, not booted with, or masked */
	fd = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof rules, 0);
	if (fd < 0)
		return error_set_errno(err, errno, "landlock_create_ruleset");
	if (role == SANDBOX_RESOLVER && allow_reading(fd, err) < 0)
		goto out;
	if (syscall(SYS_landlock_restrict_self, fd, 0) < 0)
		(void)error_set_errno(err, errno, "landlock_restrict_self");
	else
		result = 1;
out:
	fd_close(&fd);
	return result;
}
