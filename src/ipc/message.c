#include "ipc/message.h"

#include <assert.h>
#include <string.h>

#include "base/fd.h"

static_assert(MESSAGE_DRAIN == 8 && MESSAGE_LEAVE == 9,
	"workers of other versions know these two by number");

void
message_init(struct message *m, enum message_type type)
{
	/* The data is not cleared: nothing beyond LEN is ever looked at. */
	m->type = type;
	m->bad = false;
	m->len = 0;
	m->at = 0;
	m->n_fds = 0;
}

static void
put(struct message *m, const void *bytes, size_t len)
{
	if (m->bad || len > sizeof m->data - m->len) {
		m->bad = true;
		return;
	}
	if (len > 0)
		memcpy(m->data + m->len, bytes, len);
	m->len += len;
}

void
message_put_u8(struct message *m, uint8_t value)
{
	put(m, &value, sizeof value);
}

void
message_put_u16(struct message *m, uint16_t value)
{
	put(m, &value, sizeof value);
}

void
message_put_u32(struct message *m, uint32_t value)
{
	put(m, &value, sizeof value);
}

void
message_put_u64(struct message *m, uint64_t value)
{
	put(m, &value, sizeof value);
}

void
message_put_text(struct message *m, const char *text)
{
	put(m, text, strlen(text) + 1);
}

void
message_put_bytes(struct message *m, const void *bytes, size_t len)
{
	if (len > MESSAGE_MAX) {
		m->bad = true;
		return;
	}
	message_put_u16(m, (uint16_t)len);
	put(m, bytes, len);
}

void
message_put_fd(struct message *m, int fd)
{
	if (m->bad || fd < 0 || m->n_fds == MESSAGE_FDS_MAX) {
		m->bad = true;
		return;
	}
	m->fds[m->n_fds++] = fd;
}

/* OUT is zero when there is not enough left. */
static void
get(struct message *m, void *out, size_t len)
{
	if (m->bad || len > m->len - m->at) {
		m->bad = true;
		memset(out, 0, len);
		return;
	}
	memcpy(out, m->data + m->at, len);
	m->at += len;
}

uint8_t
message_get_u8(struct message *m)
{
	uint8_t value;

	get(m, &value, sizeof value);
	return value;
}

uint16_t
message_get_u16(struct message *m)
{
	uint16_t value;

	get(m, &value, sizeof value);
	return value;
}

uint32_t
message_get_u32(struct message *m)
{
	uint32_t value;

	get(m, &value, sizeof value);
	return value;
}

uint64_t
message_get_u64(struct message *m)
{
	uint64_t value;

	get(m, &value, sizeof value);
	return value;
}

void
message_get_text(struct message *m, char *out, size_t out_size)
{
	const uint8_t *start = m->data + m->at;
	const uint8_t *end = NULL;

	assert(out_size > 0);

	out[0] = '\0';
	if (!m->bad && m->at < m->len)
		end = memchr(start, '\0', m->len - m->at);
	if (end == NULL || (size_t)(end - start) >= out_size) {
		m->bad = true;
		return;
	}
	get(m, out, (size_t)(end - start) + 1);
}

size_t
message_get_bytes(struct message *m, void *out, size_t out_size)
{
	size_t len = message_get_u16(m);

	if (m->bad || len > out_size || len > m->len - m->at) {
		m->bad = true;
		return 0;
	}
	if (len > 0)
		get(m, out, len);
	return len;
}

int
message_take_fd(struct message *m)
{
	for (size_t i = 0; i < m->n_fds && !m->bad; i++) {
		int fd = m->fds[i];

		if (fd != -1) {
			m->fds[i] = -1;
			return fd;
		}
	}
	m->bad = true;
	return -1;
}

void
message_close_fds(struct message *m)
{
	for (size_t i = 0; i < m->n_fds; i++)
		fd_close(&m->fds[i]);
	m->n_fds = 0;
}

bool
message_is_done(const struct message *m)
{
	for (size_t i = 0; i < m->n_fds; i++) {
		if (m->fds[i] != -1)
			return false;
	}
	return !m->bad && m->at == m->len;
}

const char *
message_type_name(enum message_type type)
{
	static const char *const names[MESSAGE_N_TYPES] = {
		[MESSAGE_NONE] = "none",
		[MESSAGE_STAGE] = "stage",
		[MESSAGE_SOCKET] = "socket",
		[MESSAGE_OUTPUT] = "output",
		[MESSAGE_STAGE_END] = "stage-end",
		[MESSAGE_COMMIT] = "commit",
		[MESSAGE_ABORT] = "abort",
		[MESSAGE_RESOLVED] = "resolved",
		[MESSAGE_DRAIN] = "drain",
		[MESSAGE_LEAVE] = "leave",
		[MESSAGE_PING] = "ping",
		[MESSAGE_READY] = "ready",
		[MESSAGE_STAGED] = "staged",
		[MESSAGE_PONG] = "pong",
		[MESSAGE_DRAINED] = "drained",
		[MESSAGE_RESOLVE] = "resolve",
	};

	if ((unsigned)type >= MESSAGE_N_TYPES || names[type] == NULL)
		return "unknown";
	return names[type];
}

size_t
message_encode(const struct message *m, uint8_t *out, size_t out_size)
{
	uint16_t type = (uint16_t)m->type;

	if (m->bad || out_size < sizeof type || m->len > out_size - sizeof type)
		return 0;
	memcpy(out, &type, sizeof type);
	memcpy(out + sizeof type, m->data, m->len);
	return sizeof type + m->len;
}

bool
message_decode(struct message *m, const uint8_t *bytes, size_t len)
{
	uint16_t type;

	if (len < sizeof type || len > MESSAGE_WIRE_MAX)
		return false;
	memcpy(&type, bytes, sizeof type);
	if (type == MESSAGE_NONE || type >= MESSAGE_N_TYPES)
		return false;
	message_init(m, (enum message_type)type);
	m->len = len - sizeof type;
	memcpy(m->data, bytes + sizeof type, m->len);
	return true;
}
