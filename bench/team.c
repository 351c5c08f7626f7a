#include "config.h"

#include "team.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

struct team {
	size_t size;
	pid_t pids[TEAM_MAX];
	int controls[TEAM_MAX];
};

static void
die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static _Noreturn void
be_member(struct team *team, size_t number, int control, pid_t parent,
	team_member_fn run, void *arg)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		exit(EXIT_FAILURE); /* it went before we could ask */
	for (size_t i = 0; i < number; i++)
		(void)close(team->controls[i]);
	/* What the caller has buffered on stdout is the parent's to say. */
	_exit(run(number, control, arg));
}

struct team *
team_start(size_t size, team_member_fn run, void *arg)
{
	struct team *team = xcalloc(1, sizeof *team);
	pid_t parent = getpid();

	for (size_t i = 0; i < size; i++) {
		int ends[2];

		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) <
			0)
			die("socketpair");
		team->pids[i] = fork();
		if (team->pids[i] < 0)
			die("fork");
		if (team->pids[i] == 0) {
			(void)close(ends[0]);
			be_member(team, i, ends[1], parent, run, arg);
		}
		(void)close(ends[1]);
		team->controls[i] = ends[0];
		team->size++;
	}
	return team;
}

void
team_tell(struct team *team, char word)
{
	/* A member that is gone is noticed by team_await or team_finish. */
	for (size_t i = 0; i < team->size; i++)
		(void)!send(team->controls[i], &word, 1, MSG_NOSIGNAL);
}

int
team_await(struct team *team, char word)
{
	for (size_t i = 0; i < team->size; i++) {
		char said = '\0';

		if (read(team->controls[i], &said, 1) != 1 || said != word)
			return -1;
	}
	return 0;
}

int
team_finish(struct team **team)
{
	int result = 0;

	for (size_t i = 0; i < (*team)->size; i++) {
		int status = -1;

		(void)close((*team)->controls[i]);
		if (waitpid((*team)->pids[i], &status, 0) < 0 || status != 0)
			result = -1;
	}
	free(*team);
	*team = NULL;
	return result;
}

void
team_kill(struct team **team)
{
	for (size_t i = 0; i < (*team)->size; i++)
		(void)kill((*team)->pids[i], SIGKILL);
	(void)team_finish(team);
}

void *
team_memory(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		die("mmap");
	return memory;
}
