#include "config.h"

#include "base/sandbox_seccomp.h"

#ifdef HAVE_SECCOMP

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <seccomp.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <linux/seccomp.h>

#include "base/error.h"

#define N_ITEMS(array) (sizeof(array) / sizeof(array)[0])

/*
 * By name: each architecture and each C library has its own selection (32-bit
 * ones the "64" forms), and names that are not known here are passed over.
 * What libevent, OpenSSL, malloc, abort() and sd_journal_sendv() need, and a
 * relay of course; no execve, fork, clone, open, bind, listen, kill, ptrace.
 */
static const char *const common_calls[] = {
	/* the loop and its clocks */
	"epoll_create", "epoll_create1", "epoll_ctl", "epoll_pwait",
	"epoll_pwait2", "epoll_wait", "eventfd2", "pipe2", "poll", "ppoll",
	"ppoll_time64", "timerfd_create", "timerfd_gettime",
	"timerfd_gettime64", "timerfd_settime", "timerfd_settime64",
	"clock_getres", "clock_getres_time64", "clock_gettime",
	"clock_gettime64", "clock_nanosleep", "clock_nanosleep_time64",
	"gettimeofday", "nanosleep", "time",
	/* sockets */
	"accept", "accept4", "connect", "getpeername", "getsockname",
	"getsockopt", "recv", "recvfrom", "recvmmsg", "recvmmsg_time64",
	"recvmsg", "send", "sendmmsg", "sendmsg", "sendto", "setsockopt",
	"shutdown", "socket", "socketpair",
	/* descriptors that are open */
	"_llseek", "close", "close_range", "dup", "dup2", "dup3", "fcntl",
	"fcntl64", "fstat", "fstat64", "fstatat64", "ftruncate", "ftruncate64",
	"lseek", "memfd_create", "newfstatat", "pread64", "read", "readv",
	"statx", "write", "writev",
	/* memory */
	"brk", "madvise", "mlock", "mremap", "munlock", "munmap",
	/* the process itself */
	"exit", "exit_group", "futex", "futex_time64", "getcpu", "getegid",
	"getegid32", "geteuid", "geteuid32", "getgid", "getgid32", "getpid",
	"getppid", "getrandom", "getresgid", "getresgid32", "getresuid",
	"getresuid32", "getrlimit", "getrusage", "gettid", "getuid", "getuid32",
	"membarrier", "prctl", "restart_syscall", "rseq", "rt_sigaction",
	"rt_sigpending", "rt_sigprocmask", "rt_sigreturn", "rt_sigtimedwait",
	"sched_getaffinity", "sched_yield", "set_robust_list", "sigaltstack",
	"sigreturn", "sysinfo", "times", "ugetrlimit", "uname"};

/* getaddrinfo() with whatever nsswitch.conf(5) names: libraries to load,
 * files to read, the kernel's interface list (a bound netlink socket). */
static const char *const resolver_calls[] = {"access", "bind", "faccessat",
	"faccessat2", "fadvise64", "fadvise64_64", "fstatfs", "fstatfs64",
	"getcwd", "getdents", "getdents64", "lstat", "lstat64", "mmap", "mmap2",
	"mprotect", "readlink", "readlinkat", "stat", "stat64", "statfs",
	"statfs64"};

/* ioctl(2) is a door to every driver: only these. */
static const unsigned long ioctls[] = {
	FIONBIO, FIONREAD, SIOCOUTQ, SIOCGIFNAME};

/* Allows NAME, when the condition on its argument holds if there is one. */
static int
allow(scmp_filter_ctx ctx, const char *name, const struct scmp_arg_cmp *when)
{
	const int number = seccomp_syscall_resolve_name(name);
	int result;

	if (number == __NR_SCMP_ERROR)
		return 0;
	result = seccomp_rule_add_array(
		ctx, SCMP_ACT_ALLOW, number, when == NULL ? 0 : 1, when);
	/* A call that this architecture has not got needs no rule. */
	return result == -EDOM ? 0 : result;
}

static int
allow_all(scmp_filter_ctx ctx, const char *const *names, size_t n)
{
	int result = 0;

	for (size_t i = 0; result == 0 && i < n; i++)
		result = allow(ctx, names[i], NULL);
	return result;
}

/* What both roles may do with certain arguments only. */
static int
allow_some(scmp_filter_ctx ctx)
{
	const struct scmp_arg_cmp to_itself = {
		.arg = 0, .op = SCMP_CMP_EQ, .datum_a = (scmp_datum_t)getpid()};
	const struct scmp_arg_cmp only_asks = {
		.arg = 2, .op = SCMP_CMP_EQ, .datum_a = 0};
	int result = allow(ctx, "tgkill", &to_itself); /* abort() */

	if (result == 0)
		result = allow(ctx, "prlimit64", &only_asks);
	for (size_t i = 0; result == 0 && i < N_ITEMS(ioctls); i++) {
		const struct scmp_arg_cmp request = {
			.arg = 1, .op = SCMP_CMP_EQ, .datum_a = ioctls[i]};

		result = allow(ctx, "ioctl", &request);
	}
	return result;
}

/* A worker loads no code any more: no page becomes executable. */
static int
allow_worker(scmp_filter_ctx ctx)
{
	static const char *const names[] = {"mmap", "mmap2", "mprotect"};
	const struct scmp_arg_cmp not_executable = {.arg = 2,
		.op = SCMP_CMP_MASKED_EQ,
		.datum_a = PROT_EXEC,
		.datum_b = 0};
	int result = 0;

	for (size_t i = 0; result == 0 && i < N_ITEMS(names); i++)
		result = allow(ctx, names[i], &not_executable);
	return result;
}

static int
allow_resolver(scmp_filter_ctx ctx)
{
	const uint64_t writing = O_ACCMODE | O_CREAT | O_TRUNC;
	const struct scmp_arg_cmp open_reads = {.arg = 1,
		.op = SCMP_CMP_MASKED_EQ,
		.datum_a = writing,
		.datum_b = O_RDONLY};
	const struct scmp_arg_cmp openat_reads = {.arg = 2,
		.op = SCMP_CMP_MASKED_EQ,
		.datum_a = writing,
		.datum_b = O_RDONLY};
	int result = allow(ctx, "open", &open_reads);

	if (result == 0)
		result = allow(ctx, "openat", &openat_reads);
	if (result == 0)
		result =
			allow_all(ctx, resolver_calls, N_ITEMS(resolver_calls));
	return result;
}

static int
allow_role(scmp_filter_ctx ctx, enum sandbox_role role)
{
	switch (role) {
	case SANDBOX_WORKER:
		return allow_worker(ctx);
	case SANDBOX_RESOLVER:
		return allow_resolver(ctx);
	}
	return -EINVAL;
}

/* A filter at address NULL: a kernel that knows filters faults on it. */
static bool
kernel_has_seccomp(void)
{
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL) < 0 &&
	       errno == EFAULT;
}

int
sandbox_seccomp(enum sandbox_role role, struct error *err)
{
	scmp_filter_ctx ctx;
	int result;

	if (!kernel_has_seccomp())
		return 0;
	ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	if (ctx == NULL)
		return error_set(err, "seccomp_init failed");
	/* A binary tree, where the library can; the order is not relied on. */
	(void)seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	result = allow_all(ctx, common_calls, N_ITEMS(common_calls));
	if (result == 0)
		result = allow_some(ctx);
	if (result == 0)
		result = allow_role(ctx, role);
	if (result == 0)
		result = seccomp_load(ctx);
	seccomp_release(ctx);
	if (result < 0)
		return error_set_errno(err, -result, "seccomp filter");
	return 1;
}

#else /* no libseccomp */

int
sandbox_seccomp(enum sandbox_role role, struct error *err)
{
	(void)role;
	(void)err;
	return 0;
}

#endif
