/* What was asked for. */
#include "command_line.h"

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static int
take_chain(struct authorize_options *out)
{
	if (out->n_chain == AUTHORIZE_CHAIN_MAX) {
		(void)fprintf(stderr, "sallyport: more than %d times --chain\n",
			AUTHORIZE_CHAIN_MAX);
		return -1;
	}
	out->chain[out->n_chain++] = optarg;
	return 0;
}

/* Returns -1 for a character that stands for no option of ours. */
static int
take_option(int c, struct command_line *out)
{
	switch (c) {
	case 'c':
		out->options.path = optarg;
		return 0;
	case 's':
		out->options.strict = true;
		return 0;
	case 'j':
		out->options.json = true;
		return 0;
	case 'p':
		out->options.print = true;
		return 0;
	case 'l':
		out->options.listener = optarg;
		return 0;
	case 'n':
		out->authorize.server_name = optarg;
		return 0;
	case 'C':
		out->authorize.cert = optarg;
		return 0;
	case 'a':
		return take_chain(&out->authorize);
	case 'V':
		out->command = COMMAND_VERSION;
		return 0;
	case 'h':
		out->command = COMMAND_HELP;
		return 0;
	default: /* getopt has said why */
		return -1;
	}
}

static bool
has_authorize_options(const struct authorize_options *options)
{
	return options->server_name != NULL || options->cert != NULL ||
	       options->n_chain > 0;
}

static const char *
find_serve_misfit(const struct command_line *line)
{
	const struct check_options *options = &line->options;

	if (has_authorize_options(&line->authorize))
		return "--server-name, --cert and --chain go with authorize";
	if (options->strict || options->print)
		return "--strict and --print go with check";
	if (options->json || options->listener != NULL)
		return "--json and --listener go with check and authorize";
	return NULL;
}

static const char *
find_check_misfit(const struct command_line *line)
{
	if (has_authorize_options(&line->authorize))
		return "--server-name, --cert and --chain go with authorize";
	if (line->options.json && line->options.print)
		return "--json and --print both want the standard output";
	return NULL;
}

static const char *
find_authorize_misfit(const struct command_line *line)
{
	const struct authorize_options *options = &line->authorize;

	if (line->options.strict || line->options.print)
		return "--strict and --print go with check";
	if (options->listener == NULL || options->cert == NULL)
		return "authorize needs --listener and --cert";
	if (options->server_name != NULL && *options->server_name == '\0')
		return "--server-name is empty";
	return NULL;
}

/* What is wrong with the words together, or NULL. */
static const char *
find_misfit(const struct command_line *line)
{
	switch (line->command) {
	case COMMAND_SERVE:
		return find_serve_misfit(line);
	case COMMAND_CHECK:
		return find_check_misfit(line);
	case COMMAND_AUTHORIZE:
		return find_authorize_misfit(line);
	case COMMAND_VERSION:
	case COMMAND_HELP:
		return NULL;
	}
	return NULL;
}

static enum command
command_called(const char *word)
{
	if (strcmp(word, "check") == 0)
		return COMMAND_CHECK;
	if (strcmp(word, "authorize") == 0)
		return COMMAND_AUTHORIZE;
	return COMMAND_SERVE;
}

/* The word after the options, if any. */
static int
take_command(int argc, char **argv, struct command_line *out)
{
	enum command command = COMMAND_SERVE;

	if (optind < argc)
		command = command_called(argv[optind]);
	if (command != COMMAND_SERVE)
		optind++;
	if (out->command == COMMAND_SERVE)
		out->command = command;
	if (optind == argc)
		return 0;
	(void)fprintf(
		stderr, "sallyport: unknown command \"%s\"\n", argv[optind]);
	return -1;
}

int
command_line_parse(int argc, char **argv, struct command_line *out)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"strict", no_argument, NULL, 's'},
		{"json", no_argument, NULL, 'j'},
		{"print", no_argument, NULL, 'p'},
		{"listener", required_argument, NULL, 'l'},
		{"server-name", required_argument, NULL, 'n'},
		{"cert", required_argument, NULL, 'C'},
		{"chain", required_argument, NULL, 'a'},
		{"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	const char *misfit;
	int c;

	*out = (struct command_line){.options.path = COMMAND_LINE_DEFAULT_PATH};
	while ((c = getopt_long(argc, argv, "c:hV", options, NULL)) != -1) {
		if (take_option(c, out) < 0)
			return -1;
	}
	if (take_command(argc, argv, out) < 0)
		return -1;
	/* What both commands take. */
	out->authorize.path = out->options.path;
	out->authorize.listener = out->options.listener;
	out->authorize.json = out->options.json;
	misfit = find_misfit(out);
	if (misfit == NULL)
		return 0;
	(void)fprintf(stderr, "sallyport: %s\n", misfit);
	return -1;
}
