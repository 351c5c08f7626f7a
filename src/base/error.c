#include "config.h"

#include "base/error.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* Appends to TEXT, which holds *LEN bytes; what does not fit ends in "...". */
static void append(char text[ERROR_TEXT_MAX], size_t *len, const char *fmt,
	va_list args) __attribute__((format(printf, 3, 0)));

static void
append(char text[ERROR_TEXT_MAX], size_t *len, const char *fmt, va_list args)
{
	const size_t room = ERROR_TEXT_MAX - *len;
	const int want = vsnprintf(text + *len, room, fmt, args);

	if (want < 0) {
		text[*len] = '\0';
		return;
	}
	if ((size_t)want < room) {
		*len += (size_t)want;
		return;
	}
	*len = ERROR_TEXT_MAX - 1;
	memcpy(text + *len - 3, "...", 4);
}

static void append_f(char text[ERROR_TEXT_MAX], size_t *len, const char *fmt,
	...) __attribute__((format(printf, 3, 4)));

static void
append_f(char text[ERROR_TEXT_MAX], size_t *len, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	append(text, len, fmt, args);
	va_end(args);
}

int
error_set(struct error *err, const char *fmt, ...)
{
	char text[ERROR_TEXT_MAX]; /* an argument may be err->text itself */
	size_t len = 0;
	va_list args;

	if (err == NULL)
		return -1;
	va_start(args, fmt);
	append(text, &len, fmt, args);
	va_end(args);
	memcpy(err->text, text, len + 1);
	return -1;
}

int
error_set_errno(struct error *err, int errnum, const char *fmt, ...)
{
	char text[ERROR_TEXT_MAX];
	char meaning[128];
	size_t len = 0;
	va_list args;

	if (err == NULL)
		return -1;
	va_start(args, fmt);
	append(text, &len, fmt, args);
	va_end(args);
	append_f(text, &len, ": %s",
		strerror_r(errnum, meaning, sizeof meaning));
	memcpy(err->text, text, len + 1);
	return -1;
}

int
error_prefix(struct error *err, const char *fmt, ...)
{
	char text[ERROR_TEXT_MAX];
	size_t len = 0;
	va_list args;

	if (err == NULL)
		return -1;
	va_start(args, fmt);
	append(text, &len, fmt, args);
	va_end(args);
	append_f(text, &len, ": %s", err->text);
	memcpy(err->text, text, len + 1);
	return -1;
}
