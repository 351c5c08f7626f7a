/* Command line -> one call. */
#include "config.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "base/systemd.h"
#include "check/authorize.h"
#include "check/check.h"
#include "command_line.h"
#include "ipc/child_args.h"
#include "resolver/resolver.h"
#include "supervisor/control_client.h"
#include "supervisor/preflight.h"
#include "supervisor/supervisor.h"
#include "tls/tls_ctx.h"
#include "worker/worker.h"

#define EXIT_USAGE 2

static void
print_usage(FILE *out)
{
	(void)fputs("usage: sallyport [-c FILE]                  run, in the "
		    "foreground\n"
		    "       sallyport check [-c FILE] [--strict] [--json | "
		    "--print] [--listener NAME]\n"
		    "                                           check the "
		    "configuration\n"
		    "       sallyport authorize [-c FILE] --listener NAME "
		    "[--server-name NAME]\n"
		    "                 --cert FILE [--chain FILE]... [--json]\n"
		    "                                           say whether a "
		    "certificate gets in\n"
		    "       sallyport reload [-c FILE | --socket PATH]\n"
		    "                                           have the "
		    "running daemon load FILE anew\n"
		    "       sallyport status [-c FILE | --socket PATH] "
		    "[--json]\n"
		    "                                           ask the "
		    "running daemon how it is\n"
		    "       sallyport --version | --help\n"
		    "\n"
		    "FILE is " COMMAND_LINE_DEFAULT_PATH " unless given.\n"
		    "Exit status: 0 fine, 1 refused, configuration or start "
		    "failed, 2 usage.\n"
		    "See sallyport(8) and sallyport.ini(5).\n",
		out);
}

static void
print_version(void)
{
	(void)printf("sallyport %s\n", PACKAGE_VERSION);
	(void)printf("%s\n", tls_library_version());
	(void)printf("libevent %s\n", event_get_version());
	(void)printf("inih %s\n", INIH_VERSION);
	(void)printf("libsystemd %s\n", systemd_available() ? "yes" : "no");
#ifdef HAVE_SECCOMP
	(void)printf("libseccomp yes\n");
#else
	(void)printf("libseccomp no\n");
#endif
}

/* A process that the supervisor started: gives up what it can, then runs. */
static int
child_main(int argc, char **argv)
{
	struct child_args args;
	struct error err;

	if (child_args_parse(argc, argv, &args, &err) < 0) {
		(void)fprintf(stderr, "sallyport: %s\n", err.text);
		return EXIT_USAGE;
	}
	log_open(child_role_name(args.role), (enum log_format)args.log_format,
		(enum log_level)args.log_level);
	(void)prctl(PR_SET_NAME,
		args.role == CHILD_WORKER ? "sallyport-work" : "sallyport-name",
		0, 0, 0);
	sandbox_die_with_parent();
	if (sandbox_drop_user(args.user, args.group, &err) < 0) {
		log_msg(LOG_LEVEL_ERROR, "%s", err.text);
		return EXIT_FAILURE;
	}
	switch (args.role) {
	case CHILD_WORKER:
		return worker_main(
			&(struct worker_options){.channel_fd = args.channel_fd,
				.stats_fd = args.stats_fd,
				.sessions_fd = args.sessions_fd,
				.max_conns = (size_t)args.max_connections,
				.sandbox = args.sandbox});
	case CHILD_RESOLVER:
		return resolver_main(args.channel_fd, args.sandbox);
	}
	return EXIT_USAGE;
}

/* What was printed may still wait for a disk that is full. */
static int
printed(void)
{
	return fflush(stdout) == 0 && !ferror(stdout) ? EXIT_SUCCESS
						      : EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
	struct command_line line;

	sandbox_no_core();
	if (argc > 1 && strcmp(argv[1], CHILD_ARGS_MARK) == 0)
		return child_main(argc, argv);
	if (argc > 1 && strcmp(argv[1], PREFLIGHT_MARK) == 0)
		return preflight_main(argc, argv);
	if (command_line_parse(argc, argv, &line) < 0) {
		print_usage(stderr);
		return EXIT_USAGE;
	}
	switch (line.command) {
	case COMMAND_HELP:
		print_usage(stdout);
		return printed();
	case COMMAND_VERSION:
		print_version();
		return printed();
	case COMMAND_CHECK:
		return check_main(&line.options);
	case COMMAND_AUTHORIZE:
		return authorize_main(&line.authorize);
	case COMMAND_RELOAD:
		return control_client_reload(&line.control);
	case COMMAND_STATUS:
		return control_client_status(&line.control);
	case COMMAND_SERVE:
		if (fd_fill_standard() < 0)
			return EXIT_FAILURE; /* nowhere to say why */
		return supervisor_main(&(struct supervisor_options){
			.path = line.options.path, .argv = argv});
	}
	return EXIT_USAGE;
}
