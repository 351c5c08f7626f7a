#pragma once

struct file_source;
struct listener_settings;
struct report;

/*
 * Warns of each server name of LISTENER that the leaf of one of its certfiles
 * is not for, as clients see it (RFC 6125: subjectAltName only, a wildcard is
 * one label), and says whom it is for. For `sallyport check`.
 */
void tls_cover_check(const struct listener_settings *listener,
	struct file_source *files, struct report *report);
