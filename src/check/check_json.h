#pragma once

#include <stdio.h>

struct report;

/*
 * REPORT about the configuration at PATH, as one JSON object on one line:
 *   {"file":PATH,"errors":N,"warnings":N,"findings":[{"severity":"error",
 *    "file":TEXT,"line":N,"section":TEXT,"text":TEXT}, ...]}
 * Always valid JSON in UTF-8, whatever the files hold; escaped like the log.
 */
void check_json_print(const struct report *report, const char *path, FILE *out);
