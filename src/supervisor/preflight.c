/* Can another binary take over? */
#define _GNU_SOURCE
#include "config.h"

#include "supervisor/preflight.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/units.h"
#include "check/check.h"
#include "conf/report.h"
#include "supervisor/bundle.h"
#include "supervisor/handover.h"

/* The last line of one that can, before its version. */
#define ANSWER "takes over: "

/* More is not listened to. */
#define ANSWER_MAX 65536

/* One that has not answered by then is ended, by the kernel. */
#define LIMIT_S 60

struct preflight {
	int process; /* pidfd_open(2): its pid is reaped with all others */
	int fd;      /* what it prints */
	struct event *readable;
	char *text;
	size_t len;
	preflight_end_fn on_end;
	void *arg;
};

/* ---- in the binary that asks ---- */

void
preflight_free(struct preflight **preflight)
{
	struct preflight *gone = *preflight;
	siginfo_t info;

	*preflight = NULL;
	if (gone == NULL)
		return;
	if (gone->process >= 0) {
		(void)pidfd_send_signal(gone->process, SIGKILL, NULL, 0);
		(void)waitid(P_PIDFD, (id_t)gone->process, &info, WEXITED);
	}
	event_free(gone->readable);
	fd_close(&gone->process);
	fd_close(&gone->fd);
	free(gone->text);
	free(gone);
}

/* What stands behind ANSWER in the last line of TEXT; NULL: it does not say so,
 * and TEXT ends with its first line now. */
static const char *
find_answer(char *text)
{
	size_t len = strlen(text);
	char *last;

	if (len > 0 && text[len - 1] == '\n')
		text[len - 1] = '\0';
	last = strrchr(text, '\n');
	last = last == NULL ? text : last + 1;
	if (text_starts_with(last, ANSWER))
		return last + strlen(ANSWER);
	text[strcspn(text, "\n")] = '\0';
	return NULL;
}

static void
end(struct preflight *preflight)
{
	char *text = preflight->text;
	const char *version;

	(void)event_del(preflight->readable);
	text[preflight->len] = '\0';
	version = find_answer(text);
	if (preflight->len == ANSWER_MAX)
		preflight->on_end(
			false, "it does not stop talking", preflight->arg);
	else if (version != NULL)
		preflight->on_end(true, version, preflight->arg);
	else
		preflight->on_end(false,
			*text == '\0' ? "it ended without an answer" : text,
			preflight->arg);
}

static void
on_readable(int fd, short what, void *arg)
{
	struct preflight *preflight = arg;
	ssize_t got = read(fd, preflight->text + preflight->len,
		ANSWER_MAX - preflight->len);

	(void)what;
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got > 0)
		preflight->len += (size_t)got;
	if (got <= 0 || preflight->len == ANSWER_MAX)
		end(preflight);
}

/* Between fork and exec. */
static void
become(const struct preflight_call *call, char **argv, int out)
{
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)alarm(LIMIT_S);
	fd_cloexec_from(STDERR_FILENO + 1);
	if (dup2(out, STDOUT_FILENO) < 0 || dup2(out, STDERR_FILENO) < 0 ||
		fd_set_cloexec(call->handover_fd, false) < 0 ||
		fd_set_cloexec(call->handover->public_fd, false) < 0 ||
		fd_set_cloexec(call->handover->secret_fd, false) < 0)
		_exit(127);
	(void)fexecve(call->image, argv, environ);
	(void)dprintf(STDERR_FILENO, "cannot be executed: %s\n",
		strerrordesc_np(errno));
	_exit(127);
}

/* Returns a descriptor of the process, or -1 with ERR. */
static int
spawn(const struct preflight_call *call, int out, struct error *err)
{
	char *argv[] = {xstrdup(call->name), xstrdup(PREFLIGHT_MARK),
		xasprintf("%d", call->handover_fd), xstrdup(call->path), NULL};
	pid_t pid = fork();
	int process = -1;
	size_t i;

	if (pid == 0)
		become(call, argv, out);
	for (i = 0; argv[i] != NULL; i++)
		free(argv[i]);
	if (pid > 0)
		process = pidfd_open(pid, 0);
	return process >= 0 ? process : error_set_errno(err, errno, "fork");
}

struct preflight *
preflight_start(struct event_base *base, const struct preflight_call *call,
	preflight_end_fn on_end, void *arg, struct error *err)
{
	struct preflight *preflight;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) {
		(void)error_set_errno(err, errno, "pipe");
		return NULL;
	}
	preflight = xcalloc(1, sizeof *preflight);
	preflight->fd = ends[0];
	preflight->text = xcalloc(1, ANSWER_MAX + 1);
	preflight->on_end = on_end;
	preflight->arg = arg;
	preflight->readable = event_new(
		base, ends[0], EV_READ | EV_PERSIST, on_readable, preflight);
	(void)event_add(preflight->readable, NULL);
	(void)fd_set_nonblocking(ends[1], false);
	preflight->process = spawn(call, ends[1], err);
	if (preflight->process < 0)
		preflight_free(&preflight);
	fd_close(&ends[1]);
	return preflight;
}

/* ---- in the binary that is asked ---- */

/* What runs, to give to workers of ours if nothing else can be had. */
static void
read_handover(int fd, const char *path, struct report *report)
{
	const struct conf_pos pos = {.file = path};
	struct report *findings = report_new();
	struct bundle *bundle = NULL;
	struct handover handover;
	struct error err;

	if (handover_read(fd, &handover, &err) < 0) {
		report_add(report, REPORT_ERROR, &pos, NULL, "%s", err.text);
		report_free(&findings);
		return;
	}
	bundle = bundle_read(path, &handover, findings);
	if (bundle == NULL)
		report_add(report, REPORT_ERROR, &pos, NULL,
			"what runs now cannot be read");
	report_merge(report, findings);
	report_free(&findings);
	bundle_free(&bundle);
	handover_done(&handover);
}

/* The one who asked logs the first of them. */
static void
print_error(const struct report_finding *finding, void *arg)
{
	(void)arg;
	if (finding->severity == REPORT_ERROR)
		(void)printf("%s:%u: [%s] %s\n", finding->file, finding->line,
			finding->section, finding->text);
}

int
preflight_main(int argc, char **argv)
{
	struct report *report = report_new();
	struct error err;
	int64_t fd;
	bool ok;

	if (argc != 4 || units_parse_int(argv[2], STDERR_FILENO + 1, INT_MAX,
				 &fd, &err) < 0) {
		report_free(&report);
		return EXIT_FAILURE;
	}
	read_handover((int)fd, argv[3], report);
	if (report_errors(report) == 0)
		check_all(argv[3], report);
	ok = report_errors(report) == 0;
	if (ok)
		(void)printf(ANSWER "%s\n", PACKAGE_VERSION);
	else
		report_walk(report, print_error, NULL);
	report_free(&report);
	return ok && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
