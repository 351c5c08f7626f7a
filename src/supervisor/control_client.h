#pragma once

#include <stdbool.h>

/*
 * `sallyport reload` and `sallyport status`: ask the daemon that runs, through
 * its admin socket, and print what it says.
 */
struct control_client_options {
	const char *path;   /* the configuration, which names the socket; any
			       error in it is the daemon's affair */
	const char *socket; /* instead of what PATH says; NULL: none given */
	bool json;          /* status */
};

/* Each returns the exit status: 0 done; 1 refused, or there is no daemon. */
int control_client_reload(const struct control_client_options *options);
int control_client_status(const struct control_client_options *options);
