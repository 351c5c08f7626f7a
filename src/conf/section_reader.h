#pragma once

#include <stdbool.h>
#include <stddef.h>

struct report;
struct section_list;

/* From the text of a configuration to its sections, one by one. */
struct section_reader;

/*
 * Reads TEXT (borrowed, as all is here) into LIST (zero-initialised). Unknown
 * sections and keys, what is there twice and what stands in the wrong place
 * goes to REPORT and is left out. FILE must live as long as LIST.
 */
struct section_reader *section_reader_new(struct section_list *list,
	const char *file, const char *text, size_t len, struct report *report);

/* One more section; false: it was the last, and LIST is complete. */
bool section_reader_step(struct section_reader *reader);

/* LIST stays. Accepts NULL. */
void section_reader_free(struct section_reader **reader);
