/* From this binary to the next. */
#define _GNU_SOURCE
#include "config.h"

#include "supervisor/upgrade.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "ipc/message.h"
#include "supervisor/handover.h"
#include "supervisor/preflight.h"

/* What cannot be handed over just now is asked for again after so long, and
 * given up when it has not come about for so long. */
#define AGAIN_MS    100
#define PATIENCE_MS 10000

/* Turns of the loop in which libevent tells what signals it has caught. */
#define SIGNAL_TURNS 2

/* Whoever is being served then is looked after so often. */
#define LOOK_MS   10
#define TURNS_MAX 100

struct upgrade {
	struct event_base *base;
	char *program;
	char **argv;
	const char *path;
	struct upgrade_owner owner;
	bool wanted;                 /* as soon as the owner is free */
	struct event *again;         /* it was put off until then */
	uint64_t put_off_ms;         /* since then; 0: it was not */
	struct preflight *preflight; /* NULL: nobody is being asked */
	char *version;               /* that has answered; NULL: none has */
	struct event *quiet;         /* no signal is on its way any more */
	unsigned turns;              /* of the loop since VERSION came */
	sigset_t mask;               /* before VERSION came */
	int image;                   /* of whom is asked: it is the one that is
					executed, whatever is at the path then */
};

/* ---- the end of it, if it is one ---- */

/* Nobody is asked any more. */
static void
forget(struct upgrade *upgrade)
{
	preflight_free(&upgrade->preflight);
	fd_close(&upgrade->image);
	if (upgrade->version != NULL) {
		(void)sigprocmask(SIG_SETMASK, &upgrade->mask, NULL);
		(void)upgrade->owner.hold(false, upgrade->owner.arg);
	}
	free(upgrade->version);
	upgrade->version = NULL;
}

static void
give_up(struct upgrade *upgrade, const char *why)
{
	const struct log_field fields[] = {
		{.key = "program", .text = upgrade->program},
		{.key = "version", .text = PACKAGE_VERSION},
		{.key = "detail", .text = why},
	};

	log_event(LOG_LEVEL_ERROR, "not upgraded, the old binary goes on",
		fields, sizeof fields / sizeof fields[0]);
	forget(upgrade);
	upgrade->put_off_ms = 0;
}

static void
log_put_off(const char *why)
{
	const struct log_field fields[] = {{.key = "detail", .text = why}};

	log_event(LOG_LEVEL_NOTICE, "upgrade put off", fields, 1);
}

/* A worker that just ends, or is behind with its messages, is not in the way
 * for long. Nothing tells when the latter is over: it is tried again. */
static void
put_off(struct upgrade *upgrade, const char *why)
{
	const struct timeval again = clock_tv_of_ms(AGAIN_MS);
	uint64_t now = clock_monotonic_ms();

	if (upgrade->put_off_ms == 0) {
		upgrade->put_off_ms = now;
		log_put_off(why);
	}
	if (now - upgrade->put_off_ms >= PATIENCE_MS) {
		give_up(upgrade, why);
		return;
	}
	forget(upgrade);
	upgrade->wanted = true;
	(void)evtimer_add(upgrade->again, &again);
}

static int
gather(const struct upgrade *upgrade, struct handover *out, struct error *err)
{
	*out = (struct handover){
		.version = xstrdup(PACKAGE_VERSION),
		.protocol = xstrdup(MESSAGE_PROTOCOL),
		.program = xstrdup(upgrade->program),
		.public_fd = -1,
		.secret_fd = -1,
	};
	return upgrade->owner.hand_over(out, err, upgrade->owner.arg);
}

/* Does not return, unless it fails. */
static int
execute(const struct upgrade *upgrade, const struct handover *handover,
	struct error *err)
{
	int fd = handover_write(handover, err), errnum;

	if (fd < 0)
		return -1;
	fd_cloexec_from(STDERR_FILENO + 1);
	handover_announce(fd);
	if (handover_set_cloexec(handover, false) == 0 &&
		fd_set_cloexec(fd, false) == 0)
		(void)fexecve(upgrade->image, upgrade->argv, environ);
	errnum = errno;
	(void)handover_find();
	(void)handover_set_cloexec(handover, true);
	fd_close(&fd);
	return error_set_errno(err, errnum, "cannot be executed");
}

static void
log_upgrading(const struct upgrade *upgrade)
{
	const struct log_field fields[] = {
		{.key = "program", .text = upgrade->program},
		{.key = "from", .text = PACKAGE_VERSION},
		{.key = "to", .text = upgrade->version},
	};

	log_event(LOG_LEVEL_NOTICE, "upgrading", fields,
		sizeof fields / sizeof fields[0]);
}

static void
give_way(struct upgrade *upgrade)
{
	struct handover handover;
	struct error err;

	if (gather(upgrade, &handover, &err) < 0) {
		put_off(upgrade, err.text);
	} else {
		log_upgrading(upgrade);
		(void)execute(upgrade, &handover, &err);
		give_up(upgrade, err.text);
	}
	handover_done(&handover);
}

/* ---- the question ---- */

static void go_on(struct upgrade *upgrade);

/* No signal, and nobody who is being served? If not, it looks again. */
static bool
is_quiet(struct upgrade *upgrade)
{
	const struct timeval soon =
		clock_tv_of_ms(upgrade->turns < SIGNAL_TURNS ? 0 : LOOK_MS);
	bool held = upgrade->owner.hold(true, upgrade->owner.arg);

	upgrade->turns++;
	if (upgrade->turns >= SIGNAL_TURNS &&
		(held || upgrade->turns >= TURNS_MAX))
		return true;
	(void)evtimer_add(upgrade->quiet, &soon);
	return false;
}

static void
on_quiet(int fd, short what, void *arg)
{
	struct upgrade *upgrade = arg;

	(void)fd;
	(void)what;
	if (!is_quiet(upgrade))
		return;
	/* What the other has looked at may be the past by now. */
	if (upgrade->wanted || !upgrade->owner.is_free(upgrade->owner.arg)) {
		upgrade->wanted = true;
		forget(upgrade);
		go_on(upgrade);
		return;
	}
	give_way(upgrade);
}

/*
 * No signal may be lost between two images: the handlers of this one are gone
 * then, those of the next not there yet. One that is blocked waits; one that
 * libevent has caught is told in the next turn of the loop, by an event that
 * one of libevent's own brings.
 */
static void
hold_signals(struct upgrade *upgrade)
{
	const struct timeval at_once = {0};
	sigset_t all;

	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &upgrade->mask);
	upgrade->turns = 0;
	(void)evtimer_add(upgrade->quiet, &at_once);
}

static void
on_preflight(bool ok, const char *text, void *arg)
{
	struct upgrade *upgrade = arg;

	if (!ok) {
		give_up(upgrade, text);
		return;
	}
	upgrade->version = xstrdup(text);
	preflight_free(&upgrade->preflight);
	hold_signals(upgrade);
}

static int
ask(struct upgrade *upgrade, const struct handover *handover, struct error *err)
{
	struct preflight_call call = {
		.image = upgrade->image,
		.name = upgrade->argv[0],
		.path = upgrade->path,
		.handover_fd = handover_write(handover, err),
		.handover = handover,
	};

	if (call.handover_fd < 0)
		return -1;
	upgrade->preflight = preflight_start(
		upgrade->base, &call, on_preflight, upgrade, err);
	fd_close(&call.handover_fd);
	return upgrade->preflight == NULL ? -1 : 0;
}

static void
begin(struct upgrade *upgrade)
{
	struct handover handover;
	struct error err;

	upgrade->image = open(upgrade->program, O_PATH | O_CLOEXEC);
	if (upgrade->image < 0) {
		(void)error_set_errno(&err, errno, "cannot be opened");
		give_up(upgrade, err.text);
		return;
	}
	if (gather(upgrade, &handover, &err) < 0)
		put_off(upgrade, err.text);
	else if (ask(upgrade, &handover, &err) < 0)
		give_up(upgrade, err.text);
	handover_done(&handover);
}

static bool
is_under_way(const struct upgrade *upgrade)
{
	return upgrade->preflight != NULL || upgrade->version != NULL;
}

static void
go_on(struct upgrade *upgrade)
{
	if (!upgrade->wanted || is_under_way(upgrade) ||
		evtimer_pending(upgrade->again, NULL) ||
		!upgrade->owner.is_free(upgrade->owner.arg))
		return;
	upgrade->wanted = false;
	begin(upgrade);
}

static void
on_again(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	go_on(arg);
}

void
upgrade_look_again(struct upgrade *upgrade)
{
	if (is_under_way(upgrade))
		upgrade->wanted = true;
	go_on(upgrade);
}

void
upgrade_ask(struct upgrade *upgrade)
{
	if (!is_under_way(upgrade))
		upgrade->wanted = true;
	go_on(upgrade);
}

/* ---- life ---- */

/* The path that this process was started by, wherever it leads by now. */
static char *
find_program(void)
{
	/* No pointer, by the ABI of the kernel an integer. */
	unsigned long value = getauxval(AT_EXECFN);
	const char *name = NULL;
	char *here, *program;

	memcpy(&name, &value, sizeof name);
	if (name == NULL || name[0] == '/')
		return xstrdup(name == NULL ? "" : name);
	here = get_current_dir_name();
	program = xasprintf("%s/%s", here == NULL ? "" : here, name);
	free(here);
	return program;
}

struct upgrade *
upgrade_new(struct event_base *base, const char *program, char **argv,
	const char *path, const struct upgrade_owner *owner)
{
	struct upgrade *upgrade = xcalloc(1, sizeof *upgrade);

	upgrade->base = base;
	upgrade->program = program == NULL ? find_program() : xstrdup(program);
	upgrade->argv = argv;
	upgrade->path = path;
	upgrade->owner = *owner;
	upgrade->image = -1;
	upgrade->quiet = evtimer_new(base, on_quiet, upgrade);
	upgrade->again = evtimer_new(base, on_again, upgrade);
	return upgrade;
}

void
upgrade_free(struct upgrade **upgrade)
{
	struct upgrade *gone = *upgrade;

	*upgrade = NULL;
	if (gone == NULL)
		return;
	forget(gone);
	event_free(gone->quiet);
	event_free(gone->again);
	free(gone->program);
	free(gone);
}
