/* What our processes send each other: messages, reports, bundles of files.
 * They trust none of it. */
#include "config.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "conf/file_source.h"
#include "conf/report.h"
#include "fuzz.h"
#include "ipc/message.h"

enum mode { MESSAGE, REPORT, PUBLIC_FILES, SECRET_FILES, N_MODES };

/* Reads a field of the kind that HOW says. */
static void
get(struct message *m, uint8_t how)
{
	uint8_t small[16];
	char text[32];

	switch (how % 7) {
	case 0:
		(void)message_get_u8(m);
		break;
	case 1:
		(void)message_get_u16(m);
		break;
	case 2:
		(void)message_get_u32(m);
		break;
	case 3:
		(void)message_get_u64(m);
		break;
	case 4:
		message_get_text(m, text, sizeof text);
		assert(strlen(text) < sizeof text);
		break;
	case 5:
		assert(message_get_bytes(m, small, sizeof small) <=
			sizeof small);
		break;
	case 6:
		assert(message_take_fd(m) == -1 && m->bad);
		break;
	}
	assert(m->at <= m->len && m->len <= sizeof m->data);
}

/* Eight bytes say how to read, the rest is the message. */
static void
read_message(const uint8_t *data, size_t size)
{
	static struct message m;
	static uint8_t wire[MESSAGE_WIRE_MAX];

	if (size < 8 || !message_decode(&m, data + 8, size - 8))
		return;
	assert(message_type_name(m.type) != NULL);
	assert(message_encode(&m, wire, sizeof wire) == size - 8);
	assert(memcmp(wire, data + 8, size - 8) == 0);
	for (size_t i = 0; i < 64 && !message_is_done(&m); i++)
		get(&m, data[i % 8]);
	message_close_fds(&m);
}

static void
read_report(int fd)
{
	struct report *report = report_new();

	if (report_merge_fd(report, fd, NULL) < 0) {
		assert(report_errors(report) == 0);
		assert(report_warnings(report) == 0);
	}
	report_free(&report);
}

/* A bundle that could be read can be handed on. */
static void
read_files(int public_fd, int secret_fd, enum file_kind kind)
{
	struct file_source *source =
		file_source_bundle(public_fd, secret_fd, NULL);
	const struct text_list *names;
	const char *bytes;
	size_t len;
	int fd;

	if (source == NULL)
		return;
	if (file_source_read(source, "a", kind, &bytes, &len, NULL) == 0)
		assert(bytes[len] == '\0');
	(void)file_source_read_dir(source, "a", &names, NULL);
	(void)file_source_output(source, "a", NULL);
	fd = file_source_to_bundle(source, kind, NULL);
	assert(fd >= 0);
	(void)close(fd);
	file_source_free(&source);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd, empty;

	if (size == 0)
		return 0;
	fd = fd_sealed_memfd("fuzz", data + 1, size - 1, NULL);
	empty = fd_sealed_memfd("fuzz", "\0\0\0", 4, NULL);
	assert(fd >= 0 && empty >= 0);
	switch ((enum mode)(data[0] % N_MODES)) {
	case MESSAGE:
		read_message(data + 1, size - 1);
		break;
	case REPORT:
		read_report(fd);
		break;
	case PUBLIC_FILES:
		read_files(fd, -1, FILE_PUBLIC);
		break;
	case SECRET_FILES:
		read_files(empty, fd, FILE_SECRET);
		break;
	case N_MODES:
		break;
	}
	(void)close(fd);
	(void)close(empty);
	return 0;
}
