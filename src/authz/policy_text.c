/* Decisions and rules in words. */
#include "config.h"

#include "authz/policy_text.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define CUT     "..."
#define CUT_LEN 3

const char *
policy_text_key(enum rule_kind kind)
{
	static const char *const keys[RULE_N_KINDS] = {
		[RULE_CN] = "allow_cn",
		[RULE_OU] = "allow_ou",
		[RULE_O] = "allow_o",
		[RULE_DNS_SAN] = "allow_dns_san",
		[RULE_URI_SAN] = "allow_uri_san",
		[RULE_IP_SAN] = "allow_ip_san",
		[RULE_EMAIL_SAN] = "allow_email_san",
		[RULE_CERT_SHA256] = "allow_cert_sha256",
		[RULE_SPKI_SHA256] = "allow_spki_sha256",
		[RULE_ISSUER_CN] = "allow_issuer_cn",
		[RULE_ISSUER_SPKI_SHA256] = "allow_issuer_spki_sha256",
	};

	return kind < RULE_N_KINDS ? keys[kind] : "?";
}

void
policy_line_start(struct policy_line *line, char *out, size_t size)
{
	*line = (struct policy_line){.out = out, .size = size};
	out[0] = '\0';
}

/* The place that a cut text has to leave free is kept from the start, so that
 * nothing is ever taken back. SIZE 0 marks a line that has been cut. */
static void
add_piece(struct policy_line *line, const char *piece, size_t len)
{
	if (line->size == 0)
		return;
	if (len > line->size - 1 - CUT_LEN - line->len) {
		memcpy(line->out + line->len, CUT, CUT_LEN + 1);
		line->size = 0;
		return;
	}
	memcpy(line->out + line->len, piece, len);
	line->len += len;
	line->out[line->len] = '\0';
}

static bool
is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code <= 0x9f) ||
	       code == 0x2028 || code == 0x2029;
}

static void
add_escaped(struct policy_line *line, const char *text, size_t len)
{
	char piece[3 * 4 + 1];
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += (size_t)snprintf(piece + n, sizeof piece - n, "\\%02X",
			(unsigned char)text[i]);
	add_piece(line, piece, n);
}

void
policy_line_add(struct policy_line *line, const char *text)
{
	while (*text != '\0') {
		uint32_t code = 0;
		size_t len = text_utf8(text, &code);

		if (len == 0)
			add_escaped(line, text, len = 1);
		else if (is_control(code))
			add_escaped(line, text, len);
		else
			add_piece(line, text, len);
		text += len;
	}
}

static void
append(struct policy_canon *canon, const char *text)
{
	const size_t len = strlen(text);

	if (canon->room - canon->len <= len) {
		canon->room = (canon->room + len + 1) * 2;
		canon->text = xreallocarray(canon->text, canon->room, 1);
	}
	memcpy(canon->text + canon->len, text, len + 1);
	canon->len += len;
}

void
policy_canon_add(struct policy_canon *canon, const char *key, const char *value)
{
	char length[32];

	(void)snprintf(length, sizeof length, " %zu:", strlen(value));
	append(canon, key);
	append(canon, length);
	append(canon, value);
	append(canon, "\n");
}

void
policy_canon_add_list(struct policy_canon *canon, const char *key,
	const struct text_list *values)
{
	for (size_t i = 0; i < values->n; i++)
		policy_canon_add(canon, key, values->items[i]);
}
