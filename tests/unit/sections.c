#include "config.h"

#include "sections.h"

#include <string.h>

#include "conf/section_reader.h"

struct sections
sections_of(const char *text)
{
	struct sections sections = {.report = report_new()};
	struct section_reader *reader = section_reader_new(
		&sections.list, "t.ini", text, strlen(text), sections.report);

	while (section_reader_step(reader))
		continue;
	section_reader_free(&reader);
	return sections;
}

void
sections_done(struct sections *sections)
{
	section_list_done(&sections->list);
	report_free(&sections->report);
}
