/* The secrets of connections, for those who debug them. */
#include "tls/tls_keylog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "conf/file_source.h"
#include "conf/settings.h"
#include "tls/tls_ctx.h"
#include "tls/tls_ctx_parts.h"

/* The longest has a label of 31 bytes, a random of 32 and a secret of 48, the
 * latter two in hex. */
#define LINE_MAX_BYTES 512

static void
complain_once(int errnum)
{
	static bool done;

	if (done)
		return;
	done = true;
	log_msg(LOG_LEVEL_WARN, "keylog_filename: lines are lost: %s",
		strerror(errnum));
}

/* In one write(), so that the lines of several workers do not mix. */
static void
on_keylog(const SSL *ssl, const char *line)
{
	const struct tls_ctx *ctx = tls_ctx_of_ssl(ssl);
	char buffer[LINE_MAX_BYTES];
	size_t len = strlen(line);
	ssize_t n;

	if (ctx == NULL || ctx->keylog_fd < 0 || len >= sizeof buffer)
		return;
	memcpy(buffer, line, len);
	buffer[len] = '\n';
	do {
		n = write(ctx->keylog_fd, buffer, len + 1);
	} while (n < 0 && errno == EINTR);
	if (n != (ssize_t)len + 1)
		complain_once(n < 0 ? errno : ENOSPC);
	mem_wipe(buffer, len);
}

int
tls_keylog_set(struct ssl_ctx_st *ssl_ctx, int *fd_out,
	const struct listener_settings *listener, struct file_source *files,
	struct report *report)
{
	const char *path = listener->tls.keylog_filename;
	struct error err;
	int fd;

	*fd_out = -1;
	if (path == NULL)
		return 0;
	fd = file_source_output(files, path, &err);
	if (fd >= 0) {
		*fd_out = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		if (*fd_out < 0)
			(void)error_set_errno(&err, errno, "dup");
	}
	if (*fd_out < 0) {
		settings_report(listener, "keylog_filename", 0, REPORT_ERROR,
			report, "keylog_filename \"%s\": %s", path, err.text);
		return -1;
	}
	SSL_CTX_set_keylog_callback(ssl_ctx, on_keylog);
	return 0;
}
