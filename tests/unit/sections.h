#pragma once

#include "conf/report.h"
#include "conf/section.h"

/* What a text called "t.ini" has of sections, for unit tests. */
struct sections {
	struct section_list list;
	struct report *report;
};

struct sections sections_of(const char *text);
void sections_done(struct sections *sections);
