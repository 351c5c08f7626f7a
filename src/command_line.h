#pragma once

#include <stdbool.h>

#include "check/authorize.h"
#include "check/check.h"
#include "supervisor/control_client.h"

#define COMMAND_LINE_DEFAULT_PATH SYSCONFDIR "/sallyport/sallyport.ini"

/* The words after the program's name. */
enum command {
	COMMAND_SERVE,
	COMMAND_CHECK,
	COMMAND_AUTHORIZE,
	COMMAND_RELOAD,
	COMMAND_STATUS,
	COMMAND_VERSION,
	COMMAND_HELP
};

struct command_line {
	enum command command;
	struct check_options options; /* its path is for serving, too */
	struct authorize_options authorize;
	struct control_client_options control;
};

/* All texts are borrowed from ARGV. Returns -1 when the words make no sense,
 * after a line on stderr that says why. */
int command_line_parse(int argc, char **argv, struct command_line *out);
