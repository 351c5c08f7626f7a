#pragma once

struct handover;

/* What a supervisor does of itself when it takes the place of one of another
 * binary, in the same process; the rest is up to its parts. */

/* What that one has left. Returns 1 if there was none: this is a start; 0, or
 * -1 after a line in the log. All descriptors are close-on-exec again. */
int takeover_read(struct handover *out);

/* What the service manager passed when the process was started: to the next
 * binary, and from the one before. */
void takeover_hand_over_inherited(struct handover *handover);
void takeover_inherit(struct handover *handover);
