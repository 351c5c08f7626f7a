#pragma once

struct report;
struct settings;

/* Adds to REPORT that there is no such user or group as SETTINGS say, if root
 * asks: nobody else can become one. Reads the system's lists of them. */
void check_user(const struct settings *settings, struct report *report);
