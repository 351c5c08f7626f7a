#pragma once

#include <stdbool.h>
#include <stdio.h>

struct bundle;
struct workers;

/* What the daemon says of itself when asked: state, generation, workers,
 * connections, listeners with the addresses they are bound to. */
struct status {
	const struct bundle *running; /* NULL: nothing runs yet */
	const struct workers *workers;
	bool draining;
};

void status_print(const struct status *status, FILE *out);

/* The same as one JSON object on one line. */
void status_print_json(const struct status *status, FILE *out);
