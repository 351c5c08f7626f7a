#include "config.h"

#include "conf/report.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/mem.h"
#include "conf/blob.h"

#define REPORT_MAGIC     0x31726570U
#define REPORT_BYTES_MAX ((size_t)16 * 1024 * 1024)

/* More are only counted: nobody reads them, and keep() compares each with all
 * others, which must not take for ever on a file that is no INI at all. */
#define FINDINGS_MAX 1000

struct finding {
	enum report_severity severity;
	unsigned line;
	size_t nth; /* in order of discovery */
	char *file;
	char *section; /* "" when there is none */
	char *text;
};

struct report {
	struct finding *items;
	size_t n;
	size_t size; /* of items */
	size_t n_errors;
	size_t n_warnings;
	size_t n_dropped; /* beyond FINDINGS_MAX */
	size_t n_added;   /* ever */
};

struct report *
report_new(void)
{
	return xcalloc(1, sizeof(struct report));
}

static void
finding_done(struct finding *f)
{
	free(f->file);
	free(f->section);
	free(f->text);
}

void
report_free(struct report **report)
{
	if (*report == NULL)
		return;
	for (size_t i = 0; i < (*report)->n; i++)
		finding_done(&(*report)->items[i]);
	free((*report)->items);
	free(*report);
	*report = NULL;
}

/* Whatever the section: what several inherit is wrong in one line only. */
static bool
is_same(const struct finding *a, const struct finding *b)
{
	return a->line == b->line && a->severity == b->severity &&
	       strcmp(a->text, b->text) == 0 && strcmp(a->file, b->file) == 0;
}

/* Takes what F points to. */
static void
keep(struct report *report, struct finding *f)
{
	report->n_added++;
	for (size_t i = 0; i < report->n; i++) {
		if (is_same(&report->items[i], f)) {
			finding_done(f);
			return;
		}
	}
	if (f->severity == REPORT_ERROR)
		report->n_errors++;
	else
		report->n_warnings++;
	if (report->n == FINDINGS_MAX) {
		report->n_dropped++;
		finding_done(f);
		return;
	}
	if (report->n == report->size) {
		report->size = report->size == 0 ? 16 : report->size * 2;
		report->items = xreallocarray(
			report->items, report->size, sizeof *report->items);
	}
	f->nth = report->n;
	report->items[report->n++] = *f;
}

static void
make_printable(char *text)
{
	for (char *c = text; *c != '\0'; c++) {
		if (((unsigned char)*c < ' ' && *c != '\n') || *c == 0x7f)
			*c = '?';
	}
}

void
report_add(struct report *report, enum report_severity severity,
	const struct conf_pos *pos, const char *section, const char *fmt, ...)
{
	struct finding f = {.severity = severity, .line = pos->line};
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vasprintf(&f.text, fmt, ap);
	va_end(ap);
	if (len < 0)
		f.text = xstrdup(fmt);
	f.file = xstrdup(pos->file);
	f.section = xstrdup(section == NULL ? "" : section);
	make_printable(f.file);
	make_printable(f.section);
	make_printable(f.text);
	keep(report, &f);
}

size_t
report_errors(const struct report *report)
{
	return report->n_errors;
}

size_t
report_warnings(const struct report *report)
{
	return report->n_warnings;
}

size_t
report_additions(const struct report *report)
{
	return report->n_added;
}

static int
by_place(const void *left, const void *right)
{
	const struct finding *a = *(const struct finding *const *)left;
	const struct finding *b = *(const struct finding *const *)right;
	int order = strcmp(a->file, b->file);

	if (order == 0)
		order = (a->line > b->line) - (a->line < b->line);
	if (order == 0)
		order = (a->nth > b->nth) - (a->nth < b->nth);
	return order;
}

void
report_walk(
	const struct report *report, report_finding_fn on_finding, void *arg)
{
	const struct finding **sorted;

	if (report->n == 0)
		return;
	sorted = xcalloc(report->n, sizeof *sorted);
	for (size_t i = 0; i < report->n; i++)
		sorted[i] = &report->items[i];
	qsort(sorted, report->n, sizeof *sorted, by_place);
	for (size_t i = 0; i < report->n; i++) {
		const struct finding *f = sorted[i];

		on_finding(&(struct report_finding){.severity = f->severity,
				   .file = f->file,
				   .line = f->line,
				   .section = f->section,
				   .text = f->text},
			arg);
	}
	free(sorted);
}

static void
print_finding(const struct report_finding *f, void *arg)
{
	FILE *out = arg;

	(void)fprintf(out, "%s:", f->file);
	if (f->line > 0)
		(void)fprintf(out, "%u:", f->line);
	if (f->severity == REPORT_WARNING)
		(void)fputs(" warning:", out);
	if (f->section[0] != '\0')
		(void)fprintf(out, " [%s]", f->section);
	(void)fputc(' ', out);
	for (const char *c = f->text; *c != '\0'; c++)
		(void)fputs(*c == '\n' ? "\n    " : (char[]){*c, '\0'}, out);
	(void)fputc('\n', out);
}

void
report_print(const struct report *report, FILE *out)
{
	report_walk(report, print_finding, out);
	if (report->n_dropped > 0)
		(void)fprintf(out, "sallyport: %zu more of these left out\n",
			report->n_dropped);
}

static void
print_number(size_t n, const char *noun, FILE *out)
{
	if (n == 0)
		(void)fprintf(out, "no %ss", noun);
	else
		(void)fprintf(out, "%zu %s%s", n, noun, n == 1 ? "" : "s");
}

void
report_print_count(const struct report *report, const char *outcome, FILE *out)
{
	(void)fputs("sallyport: ", out);
	print_number(report_errors(report), "error", out);
	(void)fputs(", ", out);
	print_number(report_warnings(report), "warning", out);
	(void)fprintf(out, "; %s\n", outcome);
}

void
report_merge(struct report *report, const struct report *from)
{
	for (size_t i = 0; i < from->n; i++) {
		const struct finding *f = &from->items[i];
		const struct conf_pos pos = {.file = f->file, .line = f->line};

		report_add(
			report, f->severity, &pos, f->section, "%s", f->text);
	}
}

int
report_to_fd(const struct report *report, struct error *err)
{
	struct blob blob = {0};
	int fd;

	blob_put_u32(&blob, REPORT_MAGIC);
	blob_put_u32(&blob, (uint32_t)report->n);
	for (size_t i = 0; i < report->n; i++) {
		const struct finding *f = &report->items[i];

		blob_put_u32(&blob, (uint32_t)f->severity);
		blob_put_u32(&blob, f->line);
		blob_put_text(&blob, f->file);
		blob_put_text(&blob, f->section);
		blob_put_text(&blob, f->text);
	}
	fd = fd_sealed_memfd("sallyport-report", blob.bytes, blob.len, err);
	blob_done(&blob);
	return fd;
}

static void
get_finding(struct blob_reader *reader, struct report *into)
{
	uint32_t severity = blob_get_u32(reader);
	uint32_t line = blob_get_u32(reader);
	char *file = blob_get_text(reader);
	char *section = blob_get_text(reader);
	char *text = blob_get_text(reader);
	const struct conf_pos pos = {.file = file, .line = line};

	if (severity != REPORT_WARNING && severity != REPORT_ERROR)
		reader->bad = true;
	if (!reader->bad)
		report_add(into, (enum report_severity)severity, &pos, section,
			"%s", text);
	free(file);
	free(section);
	free(text);
}

static void
move_findings(struct report *from, struct report *to)
{
	for (size_t i = 0; i < from->n; i++)
		keep(to, &from->items[i]);
	from->n = 0;
}

int
report_merge_fd(struct report *report, int fd, struct error *err)
{
	struct report *read = report_new();
	struct blob_reader reader = {0};
	char *bytes = NULL;
	uint32_t n;
	int rc = -1;

	if (fd_read_all(fd, REPORT_BYTES_MAX, &bytes, &reader.left, err) < 0)
		goto out;
	reader.next = bytes;
	if (blob_get_u32(&reader) != REPORT_MAGIC)
		reader.bad = true;
	n = blob_get_u32(&reader);
	for (uint32_t i = 0; i < n && !reader.bad; i++)
		get_finding(&reader, read);
	if (reader.bad || reader.left > 0) {
		(void)error_set(err, "the report of a worker is damaged");
		goto out;
	}
	move_findings(read, report);
	rc = 0;
out:
	free(bytes);
	report_free(&read);
	return rc;
}
