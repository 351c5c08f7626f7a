#include "config.h"

#include "base/log.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log_line.h"
#include "base/log_output.h"
#include "base/systemd.h"

#define JOURNAL_SOCKET     "/run/systemd/journal/socket"
#define JOURNAL_FIELDS_MAX 48

/* Kept free at the end of a line for what closes it. */
#define TAIL_MAX 16

/* Of the process: one thread speaks. */
static const char *log_process = "sallyport";
static enum log_format log_form = LOG_FORMAT_TEXT;
static enum log_level log_threshold = LOG_LEVEL_NOTICE;

static const struct {
	const char *name;
	char priority; /* of syslog(3) */
} levels[] = {
	[LOG_LEVEL_ERROR] = {"error", '3'},
	[LOG_LEVEL_WARN] = {"warn", '4'},
	[LOG_LEVEL_NOTICE] = {"notice", '5'},
	[LOG_LEVEL_INFO] = {"info", '6'},
	[LOG_LEVEL_DEBUG] = {"debug", '7'},
};

/* False if it did not fit: nothing was put then. */
static bool
put_field(struct log_line *line, const struct log_field *field, bool is_json)
{
	const size_t mark = line->len;

	log_line_put(line, is_json ? ",\"" : " ");
	log_line_put(line, field->key);
	log_line_put(line, is_json ? "\":" : "=");
	if (field->text == NULL)
		log_line_put_number(line, field->number);
	else
		log_line_put_value(line, field->text,
			is_json ? LOG_PLACE_JSON : LOG_PLACE_VALUE,
			LOG_VALUE_MAX);
	if (!line->is_full)
		return true;
	line->len = mark;
	line->is_full = false; /* a shorter one may still fit */
	return false;
}

/* One call of log_event(). */
struct event {
	enum log_level level;
	const char *message;
	const struct log_field *fields;
	size_t n_fields;
};

/* The last to use LINE's size: what closes the line gets the reserve. */
static void
put_fields(struct log_line *line, const struct event *event, bool is_json)
{
	bool is_whole = true;

	for (size_t i = 0; i < event->n_fields; i++) {
		if (event->fields[i].key != NULL &&
			!put_field(line, &event->fields[i], is_json))
			is_whole = false;
	}
	line->size += TAIL_MAX;
	if (!is_whole)
		log_line_put(line, is_json ? ",\"cut\":true" : " ...");
}

static void
write_text(struct log_line *line, const struct event *event)
{
	log_line_put(line, levels[event->level].name);
	log_line_put(line, " ");
	log_line_put(line, log_process);
	log_line_put(line, "[");
	log_line_put_number(line, (uint64_t)getpid());
	log_line_put(line, "] ");
	log_line_put_value(
		line, event->message, LOG_PLACE_MESSAGE, LOG_MESSAGE_MAX);
	put_fields(line, event, false);
}

static void
write_json(struct log_line *line, const struct event *event, const char *stamp)
{
	log_line_put(line, "{\"time\":\"");
	log_line_put(line, stamp);
	log_line_put(line, "\",\"level\":\"");
	log_line_put(line, levels[event->level].name);
	log_line_put(line, "\",\"process\":\"");
	log_line_put(line, log_process);
	log_line_put(line, "\",\"pid\":");
	log_line_put_number(line, (uint64_t)getpid());
	log_line_put(line, ",\"message\":");
	log_line_put_value(
		line, event->message, LOG_PLACE_JSON, LOG_MESSAGE_MAX);
	put_fields(line, event, true);
	log_line_put(line, "}");
}

static bool
send_stderr(const struct event *event)
{
	char bytes[LOG_LINE_MAX];
	struct log_line line = {
		.bytes = bytes, .size = sizeof bytes - TAIL_MAX};
	char stamp[CLOCK_STAMP_SIZE];

	clock_format_utc(clock_realtime_us(), stamp);
	if (log_form == LOG_FORMAT_JSON) {
		write_json(&line, event, stamp);
	} else {
		log_line_put(&line, stamp);
		log_line_put(&line, " ");
		write_text(&line, event);
	}
	log_line_put(&line, "\n");
	return log_output_write(line.bytes, line.len);
}

/* SALLYPORT_KEY=value, raw: the journal knows where a value ends. */
static void
put_raw_field(struct log_line *line, const struct log_field *field)
{
	const size_t mark = line->len;

	log_line_put(line, "SALLYPORT_");
	for (const char *c = field->key; *c != '\0'; c++) {
		const char upper = (char)toupper((unsigned char)*c);

		log_line_put_bytes(line, &upper, 1);
	}
	log_line_put(line, "=");
	if (field->text == NULL)
		log_line_put_number(line, field->number);
	else
		log_line_put_bytes(
			line, field->text, strnlen(field->text, LOG_VALUE_MAX));
	if (line->is_full)
		line->len = mark; /* MESSAGE= says that something is missing */
	line->is_full = false;
}

/* The journal's field that was put into LINE since MARK. */
static struct iovec
since(const struct log_line *line, size_t mark)
{
	return (struct iovec){
		.iov_base = line->bytes + mark, .iov_len = line->len - mark};
}

static int
send_journal(const struct event *event)
{
	char message[LOG_LINE_MAX], bytes[2 * LOG_LINE_MAX];
	char identifier[] = "SYSLOG_IDENTIFIER=sallyport";
	char priority[] = "PRIORITY=?";
	struct log_line text = {
		.bytes = message, .size = sizeof message - TAIL_MAX};
	struct log_line raw = {.bytes = bytes, .size = sizeof bytes};
	struct iovec fields[JOURNAL_FIELDS_MAX];
	size_t n = 0;

	log_line_put(&text, "MESSAGE=");
	write_text(&text, event);
	fields[n++] = since(&text, 0);
	priority[sizeof priority - 2] = levels[event->level].priority;
	fields[n++] = (struct iovec){priority, sizeof priority - 1};
	fields[n++] = (struct iovec){identifier, sizeof identifier - 1};
	for (size_t i = 0; i < event->n_fields; i++) {
		const size_t mark = raw.len;

		if (event->fields[i].key == NULL || n == JOURNAL_FIELDS_MAX)
			continue;
		put_raw_field(&raw, &event->fields[i]);
		if (raw.len > mark)
			fields[n++] = since(&raw, mark);
	}
	return systemd_journal_send(fields, n);
}

/* libsystemd drops entries without a word where no journal runs. Any other
 * trouble may be the sandbox, which does not keep us from sending. */
static bool
has_no_journal(void)
{
	return access(JOURNAL_SOCKET, F_OK) < 0 && errno == ENOENT;
}

void
log_open(const char *process, enum log_format format, enum log_level level)
{
	log_output_open();
	log_process = process;
	log_form = format;
	log_threshold = level;
	if (format == LOG_FORMAT_AUTO)
		log_form = systemd_stderr_is_journal() ? LOG_FORMAT_JOURNAL
						       : LOG_FORMAT_TEXT;
	if (log_form == LOG_FORMAT_JOURNAL && has_no_journal())
		log_form = LOG_FORMAT_TEXT;
}

bool
log_enabled(enum log_level level)
{
	return level <= log_threshold;
}

const char *
log_level_name(enum log_level level)
{
	return levels[level].name;
}

/* The reader is back. */
static void
say_what_was_lost(void)
{
	const struct log_field field = {
		.key = "lines", .number = log_output_lost()};
	const struct event event = {.level = LOG_LEVEL_WARN,
		.message = "log lines lost, stderr was full",
		.fields = &field,
		.n_fields = 1};

	if (field.number > 0)
		(void)send_stderr(&event);
}

void
log_event(enum log_level level, const char *message,
	const struct log_field *fields, size_t n_fields)
{
	const struct event event = {.level = level,
		.message = message,
		.fields = fields,
		.n_fields = n_fields};
	const int saved = errno;

	if (!log_enabled(level))
		return;
	if (log_form == LOG_FORMAT_JOURNAL && send_journal(&event) == 0)
		goto out;
	if (send_stderr(&event))
		say_what_was_lost();
out:
	errno = saved;
}

void
log_msg(enum log_level level, const char *fmt, ...)
{
	char message[LOG_MESSAGE_MAX + 8]; /* longer: is cut and says so */
	va_list args;

	if (!log_enabled(level))
		return;
	va_start(args, fmt);
	if (vsnprintf(message, sizeof message, fmt, args) < 0)
		message[0] = '\0';
	va_end(args);
	log_event(level, message, NULL, 0);
}

bool
log_limit_allows(
	struct log_limit *limit, uint64_t now_ms, uint64_t *held_back_out)
{
	const uint64_t full = (uint64_t)limit->burst * 1000;
	const uint64_t elapsed =
		now_ms + 1 > limit->last_ms ? now_ms + 1 - limit->last_ms : 0;
	uint64_t gained;

	/* N a second are N thousandths a millisecond. */
	if (limit->last_ms == 0 ||
		__builtin_mul_overflow(elapsed, limit->per_second, &gained) ||
		gained > full - limit->tokens_milli)
		limit->tokens_milli = full;
	else
		limit->tokens_milli += gained;
	if (now_ms + 1 > limit->last_ms)
		limit->last_ms = now_ms + 1;
	*held_back_out = limit->held_back;
	if (limit->tokens_milli < 1000) {
		limit->held_back++;
		*held_back_out = limit->held_back;
		return false;
	}
	limit->tokens_milli -= 1000;
	limit->held_back = 0;
	return true;
}

const char *
log_quote(const char *text, char *out, size_t size)
{
	struct log_line line = {.bytes = out, .size = size - 1};

	assert(size >= 8);
	log_line_put_value(&line, text, LOG_PLACE_VALUE, size - 1);
	out[line.len] = '\0';
	return out;
}
