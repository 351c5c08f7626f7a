#pragma once

struct report;
struct settings;

/*
 * What no single option can know: count of keyfiles, maximum below minimum
 * version, verify_mode none beside a CA, optional or required without one,
 * plaintext to a remote backend, two listeners on one address, a
 * configuration without listeners. Findings go to REPORT. Opens no file.
 */
void settings_check(const struct settings *settings, struct report *report);
