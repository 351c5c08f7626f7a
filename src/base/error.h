#pragma once

/*
 * One failure on its way up: a text that a person can act on.
 *
 * Library code fills a struct error and returns -1 or NULL; it never logs.
 * The room that owns the process decides what becomes of it. ERR may be NULL
 * everywhere: then the text is dropped.
 */

#define ERROR_TEXT_MAX 1024

struct error {
	char text[ERROR_TEXT_MAX];
};

/* Replaces the text. Always returns -1, so that callers can return it. */
int error_set(struct error *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* The same, followed by ": " and what errno value ERRNUM means. */
int error_set_errno(struct error *err, int errnum, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Puts "PREFIX: " before the text that is there. Always returns -1. */
int error_prefix(struct error *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
