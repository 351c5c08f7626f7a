#pragma once

#include <stdio.h>

#include "base/log_line.h"

/* Prints TEXT, of any length and with any bytes in it, escaped for PLACE as
 * the log does. */
void check_text_put(const char *text, enum log_place place, FILE *out);
