/* Texts that others wrote, for a terminal or a JSON parser. */
#include "check/check_text.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* One byte becomes six at the most ("\u000a"). */
#define GROWTH 6

void
check_text_put(const char *text, enum log_place place, FILE *out)
{
	size_t size = strlen(text) * GROWTH + sizeof "\"...\"";
	struct log_line line = {.bytes = xcalloc(size, 1), .size = size};

	log_line_put_value(&line, text, place, size);
	(void)fwrite(line.bytes, 1, line.len, out);
	free(line.bytes);
}
