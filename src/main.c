/* Command line -> one call. */
#include "config.h"

#include <event2/event.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/error.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "base/systemd.h"
#include "check/check.h"
#include "ipc/child_args.h"
#include "resolver/resolver.h"
#include "supervisor/supervisor.h"
#include "tls/tls_ctx.h"
#include "worker/worker.h"

#define EXIT_USAGE 2

#define DEFAULT_PATH SYSCONFDIR "/sallyport/sallyport.ini"

static void
print_usage(FILE *out)
{
	(void)fputs("usage: sallyport [-c FILE]                  run, in the "
		    "foreground\n"
		    "       sallyport check [--strict] [-c FILE] check the "
		    "configuration\n"
		    "       sallyport --version | --help\n"
		    "\n"
		    "FILE is " DEFAULT_PATH " unless given.\n"
		    "Exit status: 0 fine, 1 configuration or start failed, 2 "
		    "usage.\n"
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
	sandbox_no_core();
	if (sandbox_drop_user(args.user, args.group, &err) < 0) {
		log_msg(LOG_LEVEL_ERROR, "%s", err.text);
		return EXIT_FAILURE;
	}
	switch (args.role) {
	case CHILD_WORKER:
		return worker_main(
			&(struct worker_options){.channel_fd = args.channel_fd,
				.stats_fd = args.stats_fd,
				.max_conns = (size_t)args.max_connections,
				.sandbox = args.sandbox});
	case CHILD_RESOLVER:
		return resolver_main(args.channel_fd, args.sandbox);
	}
	return EXIT_USAGE;
}

struct command_line {
	const char *path;
	bool check, strict, version, help;
};

/* Returns false when the words make no sense; getopt has said why. */
static bool
parse(int argc, char **argv, struct command_line *out)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"strict", no_argument, NULL, 's'},
		{"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int c;

	*out = (struct command_line){.path = DEFAULT_PATH};
	while ((c = getopt_long(argc, argv, "c:hV", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			out->path = optarg;
			break;
		case 's':
			out->strict = true;
			break;
		case 'V':
			out->version = true;
			break;
		case 'h':
			out->help = true;
			break;
		default:
			return false;
		}
	}
	if (optind < argc && strcmp(argv[optind], "check") == 0) {
		out->check = true;
		optind++;
	}
	if (optind < argc)
		(void)fprintf(stderr, "sallyport: unknown command \"%s\"\n",
			argv[optind]);
	else if (out->strict && !out->check)
		(void)fprintf(stderr, "sallyport: --strict goes with check\n");
	else
		return true;
	return false;
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

	if (argc > 1 && strcmp(argv[1], CHILD_ARGS_MARK) == 0)
		return child_main(argc, argv);
	if (!parse(argc, argv, &line)) {
		print_usage(stderr);
		return EXIT_USAGE;
	}
	if (line.help) {
		print_usage(stdout);
		return printed();
	}
	if (line.version) {
		print_version();
		return printed();
	}
	if (line.check)
		return check_main(line.path, line.strict);
	return supervisor_main(line.path);
}
