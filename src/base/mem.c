#include "config.h"

#include "base/mem.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static _Noreturn void
die(void)
{
	static const char text[] = "sallyport: out of memory\n";

	/* Not stdio, which may want memory itself. */
	if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
		abort();
	abort();
}

void *
xcalloc(size_t n, size_t size)
{
	void *bytes;

	if (n == 0 || size == 0)
		n = size = 1; /* NULL has to mean failure */
	bytes = calloc(n, size);
	if (bytes == NULL)
		die();
	return bytes;
}

void *
xreallocarray(void *old, size_t n, size_t size)
{
	void *bytes;

	if (n == 0 || size == 0)
		n = size = 1; /* realloc(old, 0) would free */
	bytes = reallocarray(old, n, size);
	if (bytes == NULL)
		die();
	return bytes;
}

char *
xstrdup(const char *text)
{
	char *copy = strdup(text);

	if (copy == NULL)
		die();
	return copy;
}

char *
xstrndup(const char *text, size_t len)
{
	char *copy = strndup(text, len);

	if (copy == NULL)
		die();
	return copy;
}

char *
xasprintf(const char *fmt, ...)
{
	char *text = NULL;
	va_list args;
	int len;

	va_start(args, fmt);
	len = vasprintf(&text, fmt, args);
	va_end(args);
	if (len < 0)
		die();
	return text;
}

void
mem_wipe(void *bytes, size_t len)
{
	if (len > 0)
		explicit_bzero(bytes, len);
}

void
mem_give_back(void)
{
	(void)malloc_trim(0);
}
