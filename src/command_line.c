/* What was asked for. */
#include "command_line.h"

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* Where an option may stand. */
#define ON(command) (1U << (command))

struct word {
	struct option option; /* for getopt_long(); val names it here, too */
	unsigned commands;    /* ON(), or-ed; 0: instead of any */
	const char *where;    /* the same in words */
};

static const struct word words[] = {
	{{"config", required_argument, NULL, 'c'},
		ON(COMMAND_SERVE) | ON(COMMAND_CHECK) | ON(COMMAND_AUTHORIZE) |
			ON(COMMAND_RELOAD) | ON(COMMAND_STATUS),
		"any command"},
	{{"strict", no_argument, NULL, 's'}, ON(COMMAND_CHECK), "check"},
	{{"print", no_argument, NULL, 'p'}, ON(COMMAND_CHECK), "check"},
	{{"json", no_argument, NULL, 'j'},
		ON(COMMAND_CHECK) | ON(COMMAND_AUTHORIZE) | ON(COMMAND_STATUS),
		"check, authorize and status"},
	{{"listener", required_argument, NULL, 'l'},
		ON(COMMAND_CHECK) | ON(COMMAND_AUTHORIZE),
		"check and authorize"},
	{{"server-name", required_argument, NULL, 'n'}, ON(COMMAND_AUTHORIZE),
		"authorize"},
	{{"cert", required_argument, NULL, 'C'}, ON(COMMAND_AUTHORIZE),
		"authorize"},
	{{"chain", required_argument, NULL, 'a'}, ON(COMMAND_AUTHORIZE),
		"authorize"},
	{{"socket", required_argument, NULL, 'S'},
		ON(COMMAND_RELOAD) | ON(COMMAND_STATUS), "reload and status"},
	{{"version", no_argument, NULL, 'V'}, 0, NULL},
	{{"help", no_argument, NULL, 'h'}, 0, NULL},
};

#define N_WORDS (sizeof words / sizeof words[0])

static const struct {
	const char *name;
	enum command command;
} commands[] = {
	{"check", COMMAND_CHECK},
	{"authorize", COMMAND_AUTHORIZE},
	{"reload", COMMAND_RELOAD},
	{"status", COMMAND_STATUS},
};

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
	case 'S':
		out->control.socket = optarg;
		return 0;
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

/* One of the options GIVEN (by their place in the table) that does not go
 * with COMMAND, or NULL. */
static const struct word *
find_stranger(enum command command, const bool given[N_WORDS])
{
	for (size_t i = 0; i < N_WORDS; i++)
		if (given[i] && words[i].commands != 0 &&
			(words[i].commands & ON(command)) == 0)
			return &words[i];
	return NULL;
}

/* What is wrong with options that do go with the command, or NULL. */
static const char *
find_misfit(const struct command_line *line)
{
	const struct authorize_options *authorize = &line->authorize;

	switch (line->command) {
	case COMMAND_CHECK:
		if (line->options.json && line->options.print)
			return "--json and --print both want the standard "
			       "output";
		return NULL;
	case COMMAND_AUTHORIZE:
		if (authorize->listener == NULL || authorize->cert == NULL)
			return "authorize needs --listener and --cert";
		if (authorize->server_name != NULL &&
			*authorize->server_name == '\0')
			return "--server-name is empty";
		return NULL;
	case COMMAND_SERVE:
	case COMMAND_RELOAD:
	case COMMAND_STATUS:
	case COMMAND_VERSION:
	case COMMAND_HELP:
		return NULL;
	}
	return NULL;
}

static enum command
command_called(const char *word)
{
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
		if (strcmp(word, commands[i].name) == 0)
			return commands[i].command;
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

/* All options; marks in GIVEN which there were. */
static int
take_options(
	int argc, char **argv, struct command_line *out, bool given[N_WORDS])
{
	struct option options[N_WORDS + 1] = {0};
	size_t i;
	int c;

	for (i = 0; i < N_WORDS; i++)
		options[i] = words[i].option;
	while ((c = getopt_long(argc, argv, "c:hV", options, NULL)) != -1) {
		if (take_option(c, out) < 0)
			return -1;
		for (i = 0; i < N_WORDS; i++)
			if (words[i].option.val == c)
				given[i] = true;
	}
	return 0;
}

/* What several commands take. */
static void
share_options(struct command_line *out)
{
	out->authorize.path = out->options.path;
	out->authorize.listener = out->options.listener;
	out->authorize.json = out->options.json;
	out->control.path = out->options.path;
	out->control.json = out->options.json;
}

int
command_line_parse(int argc, char **argv, struct command_line *out)
{
	bool given[N_WORDS] = {false};
	const struct word *stranger = NULL;
	const char *misfit;

	*out = (struct command_line){.options.path = COMMAND_LINE_DEFAULT_PATH};
	if (take_options(argc, argv, out, given) < 0 ||
		take_command(argc, argv, out) < 0)
		return -1;
	share_options(out);
	if (out->command == COMMAND_VERSION || out->command == COMMAND_HELP)
		return 0;
	stranger = find_stranger(out->command, given);
	if (stranger != NULL) {
		(void)fprintf(stderr, "sallyport: --%s goes with %s\n",
			stranger->option.name, stranger->where);
		return -1;
	}
	misfit = find_misfit(out);
	if (misfit == NULL)
		return 0;
	(void)fprintf(stderr, "sallyport: %s\n", misfit);
	return -1;
}
