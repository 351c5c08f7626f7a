#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

/*
 * The log of one process: lines on stderr (text or JSON), or native journal
 * entries. Only process rooms and the proxy log; libraries return errors.
 *
 * One call is one line and one write(2). Every byte that came from a peer is
 * quoted and escaped here (control bytes, quotes, backslashes, non-UTF-8 as
 * \xNN), so that nobody outside can forge or break a line.
 *
 * A value is cut at LOG_VALUE_MAX bytes as written, which "..." marks, so that
 * no long one pushes the others out; fields that do not fit LOG_LINE_MAX any
 * more are left out, which a final "..." (JSON: "cut":true) marks. A line is
 * always whole, as text and as JSON.
 *
 * Text:    2026-01-31T12:00:00.123Z info worker[812] closed listener=gw ...
 *          a value with blanks, quotes, "=", backslashes or bytes that are
 *          not ASCII stands in quotes, and so does an empty one
 * JSON:    {"time":"...","level":"info","process":"worker","pid":812,
 *           "message":"closed","listener":"gw",...}
 *          a byte that is not UTF-8 stands as a literal \xNN
 * Journal: MESSAGE=the text line without stamp, PRIORITY, and one field
 *          SALLYPORT_<KEY> per field, raw. A journal that does not take it
 *          gets a text line on stderr instead.
 */
#define LOG_LINE_MAX    8192
#define LOG_VALUE_MAX   1024
#define LOG_MESSAGE_MAX 2048

enum log_level {
	LOG_LEVEL_ERROR,  /* needs a human */
	LOG_LEVEL_WARN,   /* odd, went on */
	LOG_LEVEL_NOTICE, /* lifecycle */
	LOG_LEVEL_INFO,   /* one line per finished connection */
	LOG_LEVEL_DEBUG
};

enum log_format {
	LOG_FORMAT_AUTO, /* journal when stderr is the journal, else text */
	LOG_FORMAT_TEXT,
	LOG_FORMAT_JSON,
	LOG_FORMAT_JOURNAL
};

/*
 * Says who is speaking ("supervisor", "worker", ...; a literal). May be called
 * again when the settings are known. Before the first call: text, notice.
 * LOG_FORMAT_JOURNAL becomes text where no journal runs.
 */
void log_open(
	const char *process, enum log_format format, enum log_level level);

bool log_enabled(enum log_level level);
const char *log_level_name(enum log_level level);

/* What is added to a message: key=value. Keys are literals in [a-z0-9_]. */
struct log_field {
	const char *key;
	const char *text; /* NULL: the number counts */
	uint64_t number;
};

/* A field whose text is NULL and whose key is not NULL prints its number.
 * Fields with key NULL are skipped: callers leave out what does not apply. */
void log_event(enum log_level level, const char *message,
	const struct log_field *fields, size_t n_fields);

/* A message without fields. Peer text belongs in a field, never here. */
void log_msg(enum log_level level, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Lets at most BURST lines through at once and PER_SECOND on average; the
 * first line let through after a silence reports how many were held back.
 * One static object per kind of line; zero-initialised apart from the two.
 */
struct log_limit {
	uint32_t burst;
	uint32_t per_second;
	uint64_t tokens_milli; /* private from here on */
	uint64_t last_ms;      /* 0: never asked; else one more than it says */
	uint64_t held_back;
};

/* May a line be written at NOW_MS? *HELD_BACK_OUT counts those that were not
 * since the last one that was. */
bool log_limit_allows(
	struct log_limit *limit, uint64_t now_ms, uint64_t *held_back_out);

/* Quoted and escaped as in a text line into OUT (always terminated, cut at
 * SIZE, which "..." marks; SIZE is at least 8). Text that needs no quotes is
 * copied as it is. Returns OUT. */
const char *log_quote(const char *text, char *out, size_t size);
