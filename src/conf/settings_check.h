#pragma once

struct report;
struct settings;

/*
 * What no single option can know: count of keyfiles, maximum below minimum
 * version, verify_mode none beside a CA, optional or required without one,
 * revocation lists that nobody uses or has, rules without a CA and policies
 * that nobody has, PROXY headers from anybody, names that two server_name
 * sections claim, plaintext to a remote backend, two listeners on one address,
 * a configuration without listeners; and what is allowed but weakens: a
 * warning. Findings go to REPORT. Opens no file.
 */
void settings_check(const struct settings *settings, struct report *report);
