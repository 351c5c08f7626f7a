/* PROXY headers: any bytes; version 2 with a sound frame around any body; and
 * what is written must be read. */
#include "config.h"

#include <assert.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "net/crc32c.h"
#include "net/proxy_header.h"

enum mode { ANY_BYTES, ANY_BODY, ANY_BODY_WITH_SUM, WRITE_AND_READ, N_MODES };

struct answer {
	enum proxy_header_result result;
	size_t len;
};

/* From a copy of exactly LEN bytes, so that reading on is seen. */
static struct answer
decode(const uint8_t *bytes, size_t len)
{
	struct sockaddr_storage source, destination;
	struct answer a = {.len = 0};
	const char *why = NULL;
	uint8_t *copy = malloc(len + (len == 0));

	assert(copy != NULL);
	memcpy(copy, bytes, len);
	a.result = proxy_header_decode(
		copy, len, &a.len, &source, &destination, &why);
	free(copy);
	assert((a.result == PROXY_HEADER_BAD) == (why != NULL));
	assert(a.len <= len && a.len <= PROXY_HEADER_ACCEPT_MAX);
	return a;
}

/* An answer must not depend on how the bytes come in. */
static void
decode_piecemeal(const uint8_t *bytes, size_t len)
{
	const struct answer whole = decode(bytes, len);
	struct answer before = {.result = PROXY_HEADER_MORE};

	for (size_t i = 0; i <= len && i < 600; i++) {
		const struct answer a = decode(bytes, i);

		assert(before.result == PROXY_HEADER_MORE ||
			before.result == a.result);
		assert(a.len == 0 || a.len <= i);
		assert(a.result == PROXY_HEADER_MORE ||
			a.result == whole.result);
		assert(a.result == PROXY_HEADER_MORE || a.len == whole.len);
		before = a;
	}
}

static void
decode_body(const uint8_t *body, size_t len, bool has_sum)
{
	const size_t at = 16 + 12 + 3;
	uint8_t bytes[5000] = "\r\n\r\n\0\r\nQUIT\n\x21\x11";
	uint32_t sum;

	if (len > sizeof bytes - 16)
		len = sizeof bytes - 16;
	if (len > 0)
		memcpy(bytes + 16, body, len);
	bytes[14] = (uint8_t)(len >> 8);
	bytes[15] = (uint8_t)len;
	if (has_sum && len >= at + 4 - 16) {
		memcpy(bytes + at - 3, "\x03\0\4\0\0\0", 7);
		sum = htonl(crc32c(0, bytes, 16 + len));
		memcpy(bytes + at, &sum, sizeof sum);
	}
	decode_piecemeal(bytes, 16 + len);
}

/* A text that is taken off the front of what is left; NULL: none. */
static char *
take_text(const uint8_t **data, size_t *size)
{
	size_t len;
	char *text;

	if (*size < 2)
		return NULL;
	len = ((size_t)(*data)[0] << 8 | (*data)[1]) % 20000;
	*data += 2;
	*size -= 2;
	text = malloc(len + 1);
	assert(text != NULL);
	for (size_t i = 0; i < len; i++) /* any length from few bytes */
		text[i] = *size > 0 ? (char)((*data)[i % *size] | 1) : 'x';
	text[len] = '\0';
	if (*size > 0) {
		(*data)++;
		(*size)--;
	}
	return text;
}

static void
write_and_read(const uint8_t *data, size_t size)
{
	static uint8_t out[PROXY_HEADER_MAX];
	const struct sockaddr_in end = {.sin_family = AF_INET};
	char *text[6];
	unsigned tlvs;
	size_t room, len;

	if (size < 5)
		return;
	tlvs = (unsigned)data[0] << 8 | data[1];
	room = ((size_t)data[2] << 8 | data[3]) % (sizeof out + 1);
	data += 4;
	size -= 4;
	for (size_t i = 0; i < 6; i++)
		text[i] = take_text(&data, &size);
	const char *const uris[] = {text[4], text[5], text[4]};
	const struct proxy_info info = {.is_tls = true,
		.is_verified = true,
		.source = (const struct sockaddr *)&end,
		.destination = (const struct sockaddr *)&end,
		.version = text[0],
		.cn = text[1],
		.authority = text[2],
		.unique_id = text[3],
		.cert_der = (const uint8_t *)text[2],
		.cert_der_len = text[2] == NULL ? 0 : strlen(text[2]),
		.uri_sans = uris,
		.n_uri_sans = text[5] == NULL ? 0 : 3};

	len = proxy_header_encode(PROXY_HEADER_V2, tlvs, &info, out, room);
	assert(len <= room && (len >= 28 || room < 28));
	if (len > 0 && len <= PROXY_HEADER_ACCEPT_MAX) {
		const struct answer a = decode(out, len);

		assert(a.result == PROXY_HEADER_DONE && a.len == len);
	}
	for (size_t i = 0; i < 6; i++)
		free(text[i]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	switch ((enum mode)(data[0] % N_MODES)) {
	case ANY_BYTES:
		decode_piecemeal(data + 1, size - 1);
		break;
	case ANY_BODY:
		decode_body(data + 1, size - 1, false);
		break;
	case ANY_BODY_WITH_SUM:
		decode_body(data + 1, size - 1, true);
		break;
	case WRITE_AND_READ:
		write_and_read(data + 1, size - 1);
		break;
	case N_MODES:
		break;
	}
	return 0;
}
