#include "config.h"

#include "base/sandbox.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/error.h"
#include "base/sandbox_landlock.h"
#include "base/sandbox_seccomp.h"

/*
 * AddressSanitizer looks for leaks at the end of a process: it reads /proc,
 * forks a tracer and attaches it. Neither wall can stand around that.
 */
#if defined(__SANITIZE_ADDRESS__)
#define HAS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_SANITIZER 1
#endif
#endif
#ifndef HAS_SANITIZER
#define HAS_SANITIZER 0
#endif

#define DEFAULT_USER "nobody"

void
sandbox_no_core(void)
{
	const struct rlimit none = {0, 0};

	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, HAS_SANITIZER, 0, 0, 0);
}

void
sandbox_die_with_parent(void)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
}

/* The database of users says "not found" with errno 0 or one of a handful. */
static int
not_found(const char *kind, const char *name, int errnum, struct error *err)
{
	if (errnum == 0 || errnum == ENOENT || errnum == ESRCH)
		return error_set(err, "there is no %s \"%s\"", kind, name);
	return error_set_errno(err, errnum, "%s \"%s\"", kind, name);
}

static int
find_ids(const char *user, const char *group, uid_t *uid_out, gid_t *gid_out,
	struct error *err)
{
	const struct passwd *passwd;
	const struct group *entry;
	gid_t gid;

	errno = 0;
	passwd = getpwnam(user);
	if (passwd == NULL)
		return not_found("user", user, errno, err);
	*uid_out = passwd->pw_uid;
	gid = passwd->pw_gid;
	if (group != NULL) {
		errno = 0;
		entry = getgrnam(group);
		if (entry == NULL)
			return not_found("group", group, errno, err);
		gid = entry->gr_gid;
	}
	*gid_out = gid;
	return 0;
}

int
sandbox_find_user(const char *user, const char *group, struct error *err)
{
	uid_t uid;
	gid_t gid;

	if (geteuid() != 0)
		return 0;
	return find_ids(
		user == NULL ? DEFAULT_USER : user, group, &uid, &gid, err);
}

int
sandbox_drop_user(const char *user, const char *group, struct error *err)
{
	uid_t uid = 0;
	gid_t gid = 0;

	if (geteuid() != 0)
		return 0;
	if (user == NULL)
		user = DEFAULT_USER;
	if (find_ids(user, group, &uid, &gid, err) < 0)
		return -1;
	/* The user last: it takes the right to do the others with it. */
	if (initgroups(user, gid) < 0)
		return error_set_errno(err, errno, "initgroups(%s)", user);
	if (setresgid(gid, gid, gid) < 0)
		return error_set_errno(err, errno, "setresgid(%u)", gid);
	if (setresuid(uid, uid, uid) < 0)
		return error_set_errno(err, errno, "setresuid(%u)", uid);
	if (uid != 0 && setresuid(0, 0, 0) == 0)
		return error_set(err, "user \"%s\" can become root", user);
	/* A change of user undoes both: prctl(2). */
	sandbox_no_core();
	sandbox_die_with_parent();
	return 0;
}

void
sandbox_drop_ambient(void)
{
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

/* Inheritable ones do not count: with no_new_privs no file can use them. */
static bool
has_capabilities(struct __user_cap_header_struct *head)
{
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {{0}};

	if (syscall(SYS_capget, head, sets) < 0)
		return true;
	return (sets[0].permitted | sets[1].permitted) != 0;
}

/* Of root in a container, for one: no wall counts while CAP_SYS_ADMIN and its
 * kin stand behind it. A unit may refuse capset(2): who has nothing needs it
 * not. */
static int
drop_capabilities(struct error *err)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3};
	const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {
		{0}};
	int errnum;

	if (syscall(SYS_capset, &head, none) == 0)
		return 0;
	errnum = errno;
	if (has_capabilities(&head))
		return error_set_errno(err, errnum, "capset");
	return 0;
}

static const char *
name_lacking(bool has_landlock, bool has_seccomp)
{
	if (has_landlock)
		return has_seccomp ? NULL : "seccomp";
	return has_seccomp ? "landlock" : "landlock and seccomp";
}

int
sandbox_confine(
	enum sandbox_role role, const char **lacking_out, struct error *err)
{
	int landlock = 0, seccomp = 0;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_set_errno(err, errno, "no_new_privs");
	if (drop_capabilities(err) < 0)
		return -1;
	if (!HAS_SANITIZER) {
		landlock = sandbox_landlock(role, err);
		if (landlock < 0)
			return -1;
		seccomp = sandbox_seccomp(role, err);
		if (seccomp < 0)
			return -1;
	}
	*lacking_out = name_lacking(landlock > 0, seccomp > 0);
	return 0;
}
