/* `sallyport reload` and `sallyport status`. */
#include "supervisor/control_client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/mem.h"
#include "check/check.h"
#include "conf/admin_socket.h"
#include "conf/file_source.h"
#include "conf/report.h"
#include "conf/settings.h"
#include "supervisor/control.h"

/* Where the daemon listens, as far as the configuration can be read. */
static char *
find_socket(const struct control_client_options *options)
{
	struct file_source *files;
	struct settings *settings;
	struct report *report;
	char *path;

	if (options->socket != NULL)
		return xstrdup(options->socket);
	report = report_new();
	files = check_files(options->path);
	settings = settings_load(options->path, files, report);
	path = admin_socket_path(&settings->process);
	settings_free(&settings);
	file_source_free(&files);
	report_free(&report);
	return path;
}

static int
dial(const char *path, struct error *err)
{
	char *text = xasprintf("unix:%s", path);
	struct addr addr;
	int fd = -1;

	if (addr_parse(text, ADDR_FOR_CONNECT, &addr, err) < 0)
		goto out;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&addr.sa,
			       addr.sa_len) == 0)
		goto out;
	(void)error_set_errno(err, errno, "no daemon answers at %s", path);
	fd_close(&fd);
out:
	free(text);
	return fd;
}

/* Takes the result off the end of ANSWER, which is whole lines. NULL: it has
 * none, so something was lost on the way. */
static const char *
cut_result(char *answer, size_t len)
{
	if (len == 0 || answer[len - 1] != '\n')
		return NULL;
	answer[--len] = '\0';
	while (len > 0 && answer[len - 1] != '\n')
		len--;
	return answer + len;
}

/* Everything up to the end of the stream; the caller frees. */
static char *
receive(int fd, size_t *len_out)
{
	char *answer = NULL, bytes[4096];
	FILE *out = open_memstream(&answer, len_out);
	ssize_t n;

	if (out == NULL)
		abort();
	while ((n = read(fd, bytes, sizeof bytes)) != 0) {
		if (n > 0)
			(void)fwrite(bytes, 1, (size_t)n, out);
		else if (errno != EINTR)
			break;
	}
	(void)fclose(out);
	if (answer == NULL)
		abort();
	return answer;
}

/* Prints to OUT what comes, but for the result. */
static int
converse(int fd, const char *request, FILE *out, struct error *err)
{
	size_t len = 0, shown;
	const char *result;
	char *answer;
	int status = -1;

	/* An answer may stand there already that refuses to listen. */
	(void)send(fd, request, strlen(request), MSG_NOSIGNAL);
	answer = receive(fd, &len);
	result = cut_result(answer, len);
	shown = result == NULL ? len : (size_t)(result - answer);
	(void)fwrite(answer, 1, shown, out);
	if (result != NULL && strcmp(result, CONTROL_OK) == 0)
		status = EXIT_SUCCESS;
	else if (result != NULL && strcmp(result, CONTROL_FAILED) == 0)
		status = EXIT_FAILURE;
	else
		(void)error_set(err, "the daemon hung up without an answer");
	free(answer);
	return status;
}

static int
ask(const struct control_client_options *options, const char *request,
	FILE *out)
{
	char *path = find_socket(options);
	struct error err;
	int status = -1;
	int fd = -1;

	if (path == NULL)
		(void)error_set(&err,
			"admin_socket = none in %s: there is nobody to ask",
			options->path);
	else
		fd = dial(path, &err);
	if (fd >= 0)
		status = converse(fd, request, out, &err);
	if (status < 0) {
		(void)fprintf(stderr, "sallyport: %s\n", err.text);
		status = EXIT_FAILURE;
	}
	fd_close(&fd);
	free(path);
	return fflush(out) == 0 && !ferror(out) ? status : EXIT_FAILURE;
}

int
control_client_reload(const struct control_client_options *options)
{
	return ask(options, "reload\n", stderr);
}

int
control_client_status(const struct control_client_options *options)
{
	return ask(
		options, options->json ? "status json\n" : "status\n", stdout);
}
