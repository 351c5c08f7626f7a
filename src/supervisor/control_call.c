/* One caller on the admin socket. */
#include "supervisor/control_call.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "conf/report.h"
#include "supervisor/rollout.h"

struct control_call {
	LIST_ENTRY(control_call) entry;
	const struct control_handler *handler;
	int fd;
	struct event *readable;
	struct event *writable;
	char line[CONTROL_LINE_MAX];
	size_t len;
	struct request *request; /* waits for the end of a rollout */
	char *answer;            /* NULL: there is none yet */
	size_t answer_len;
	size_t sent;
};

void
control_call_end(struct control_call *call)
{
	const struct control_handler *handler = call->handler;

	LIST_REMOVE(call, entry);
	request_forget(&call->request);
	event_free(call->readable);
	event_free(call->writable);
	fd_close(&call->fd);
	free(call->answer);
	free(call);
	handler->on_over(handler->over_arg);
}

static void
wait_for(struct event *event)
{
	const struct timeval tv = clock_tv_of_ms(CONTROL_WAIT_MS);

	(void)event_add(event, &tv);
}

/* ---- the answer ---- */

static void
on_writable(int fd, short what, void *arg)
{
	struct control_call *call = arg;
	ssize_t n;

	if ((what & EV_TIMEOUT) != 0) {
		control_call_end(call);
		return;
	}
	n = send(fd, call->answer + call->sent, call->answer_len - call->sent,
		MSG_NOSIGNAL);
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		wait_for(call->writable);
		return;
	}
	if (n > 0)
		call->sent += (size_t)n;
	if (n <= 0 || call->sent == call->answer_len)
		control_call_end(call);
	else
		wait_for(call->writable);
}

/* Where the answer is to be written; NULL: no memory. */
static FILE *
open_answer(struct control_call *call)
{
	return open_memstream(&call->answer, &call->answer_len);
}

static void
send_answer(struct control_call *call, FILE *out, const char *result)
{
	(void)fprintf(out, "%s\n", result);
	(void)fclose(out);
	(void)event_del(call->readable);
	if (call->answer == NULL)
		event_active(call->writable, EV_TIMEOUT, 0);
	else
		wait_for(call->writable);
}

static void
refuse(struct control_call *call, const char *why)
{
	FILE *out = open_answer(call);

	if (out == NULL) {
		control_call_end(call);
		return;
	}
	(void)fprintf(out, "sallyport: %s\n", why);
	send_answer(call, out, CONTROL_FAILED);
}

/* ---- the request ---- */

static void
on_rollout_end(const struct rollout_result *result, void *arg)
{
	struct control_call *call = arg;
	FILE *out = open_answer(call);

	call->request = NULL;
	if (out == NULL) {
		control_call_end(call);
		return;
	}
	report_print(result->report, out);
	report_print_count(result->report,
		result->ok ? "configuration loaded"
			   : "the running configuration stays",
		out);
	send_answer(call, out, result->ok ? CONTROL_OK : CONTROL_FAILED);
}

static void
tell_status(struct control_call *call, enum control_form form)
{
	FILE *out = open_answer(call);

	if (out == NULL) {
		control_call_end(call);
		return;
	}
	call->handler->status(form, out, call->handler->arg);
	send_answer(call, out, CONTROL_OK);
}

static void
obey(struct control_call *call)
{
	if (strcmp(call->line, "reload") == 0) {
		/* However long it takes. One who has gone meanwhile shows
		 * when the answer is sent; an end of the stream may as well
		 * mean that there is nothing more to ask. */
		call->request = rollout_ask(
			call->handler->rollout, on_rollout_end, call);
	} else if (strcmp(call->line, "status") == 0) {
		tell_status(call, CONTROL_TEXT);
	} else if (strcmp(call->line, "status json") == 0) {
		tell_status(call, CONTROL_JSON);
	} else {
		refuse(call, "unknown request");
	}
}

static void
take_line(struct control_call *call, char *end)
{
	*end = '\0';
	if (end > call->line && end[-1] == '\r')
		end[-1] = '\0';
	obey(call);
}

static void
on_readable(int fd, short what, void *arg)
{
	struct control_call *call = arg;
	ssize_t n;
	char *end;

	if ((what & EV_TIMEOUT) != 0) {
		control_call_end(call);
		return;
	}
	n = recv(fd, call->line + call->len, sizeof call->line - call->len, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		wait_for(call->readable);
		return;
	}
	if (n <= 0) {
		control_call_end(call);
		return;
	}
	call->len += (size_t)n;
	end = memchr(call->line, '\n', call->len);
	if (end != NULL)
		take_line(call, end);
	else if (call->len == sizeof call->line)
		refuse(call, "request too long");
	else
		wait_for(call->readable);
}

void
control_call_start(struct control_call_list *calls, struct event_base *base,
	int fd, const struct control_handler *handler)
{
	struct control_call *call = xcalloc(1, sizeof *call);

	call->fd = fd;
	call->handler = handler;
	call->readable = event_new(base, fd, EV_READ, on_readable, call);
	call->writable = event_new(base, fd, EV_WRITE, on_writable, call);
	LIST_INSERT_HEAD(calls, call, entry);
	wait_for(call->readable);
}
