/* The form of rules on client certificates. */
#include "config.h"

#include "conf/rule_value.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/cidr.h"
#include "base/error.h"
#include "conf/rule_uri.h"

#define DNS_CHARS                                                              \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
#define HEX_CHARS     "0123456789abcdefABCDEF"
#define DNS_MAX       253
#define LABEL_MAX     63
#define SHA256_DIGITS 64
#define SERIAL_DIGITS 64 /* RFC 5280 says 20 bytes; some CAs do more */

static void
lower(char *text)
{
	for (; *text != '\0'; text++) {
		if (*text >= 'A' && *text <= 'Z')
			*text = (char)(*text - 'A' + 'a');
	}
}

static int
refuse(const char *value, const char *what, const char *why, struct error *err)
{
	return error_set(err, "\"%s\" is not %s: %s", value, what, why);
}

/* Of a subject or issuer: any text that a person can see. */
static int
check_text(const char *value, struct error *err)
{
	const char *at = value;
	uint32_t code;
	size_t len;

	if (*value == '\0')
		return error_set(err, "the value is empty");
	while ((len = text_utf8(at, &code)) > 0) {
		if (code < 0x20 || (code >= 0x7f && code <= 0x9f))
			return error_set(
				err, "the value holds a control character");
		at += len;
	}
	if (*at != '\0')
		return error_set(err, "the value is not UTF-8");
	return 0;
}

static const char *
label_problem(const char *label, size_t len)
{
	if (len == 0)
		return "a part of it is empty";
	if (len > LABEL_MAX)
		return "a part of it is longer than 63 bytes";
	if (memchr(label, '*', len) != NULL)
		return "\"*\" may only be the whole of the first part, as in "
		       "\"*.example.com\"";
	if (strspn(label, DNS_CHARS) < len)
		return "it may hold letters, digits, \"-\", \"_\" and \".\" "
		       "only (of names in other letters, the form that starts "
		       "with xn--)";
	if (label[0] == '-' || label[len - 1] == '-')
		return "a part of it starts or ends with \"-\"";
	return NULL;
}

/* Names of hosts do not end in a number; addresses do. */
static bool
ends_in_number(const char *name)
{
	const char *last = name;

	for (; *name != '\0'; name++) {
		if (name[0] == '.' && name[1] != '\0')
			last = name + 1;
	}
	name = last + strspn(last, "0123456789");
	return name > last && (*name == '\0' || *name == '.');
}

static const char *
dns_problem(const char *name)
{
	size_t total = strlen(name);
	const char *why = NULL;

	if (total > 0 && name[total - 1] == '.')
		total--; /* it does not stay */
	if (total > DNS_MAX)
		return "it is longer than 253 bytes";
	if (ends_in_number(name))
		return "it ends in a number; allow_ip_san is for addresses";
	while (why == NULL) {
		const size_t len = strcspn(name, ".");

		why = label_problem(name, len);
		if (name[len] == '\0' || name[len + 1] == '\0')
			break; /* the end, or the dot at the end */
		name += len + 1;
	}
	return why;
}

static int
check_dns(const char *value, struct error *err)
{
	const bool is_glob = text_starts_with(value, "*.");
	const char *why = dns_problem(is_glob ? value + 2 : value);

	return why != NULL ? refuse(value, "a DNS name", why, err) : 0;
}

static const char *
email_problem(const char *value)
{
	const char *domain = strrchr(value, '@');

	if (domain == NULL || domain == value)
		return "it must be of the form name@example.com";
	for (const char *at = value; *at != '\0'; at++) {
		if (*at <= ' ' || *at > '~')
			return "blanks and what is not ASCII never match";
	}
	if (strchr(value, '*') != NULL)
		return "there are no wildcards in mail addresses";
	if (value[strlen(value) - 1] == '.')
		return "it ends with a dot";
	return dns_problem(domain + 1);
}

static int
check_email(const char *value, struct error *err)
{
	const char *why = email_problem(value);

	return why != NULL ? refuse(value, "a mail address", why, err) : 0;
}

static int
check_ip(const char *value, struct error *err)
{
	struct cidr cidr;

	return cidr_parse(value, &cidr, err);
}

static int
check_uri(const char *value, struct error *err)
{
	const char *why = rule_uri_problem(value);

	return why != NULL ? refuse(value, "a URI", why, err) : 0;
}

/* How many hex digits TEXT has, with colons between bytes only; 0 if it is
 * anything else. */
static size_t
count_hex(const char *text)
{
	size_t n = 0;

	for (size_t i = 0; text[i] != '\0'; i++) {
		if (text[i] == ':') {
			if (n == 0 || n % 2 != 0 || text[i - 1] == ':')
				return 0;
			continue;
		}
		if (strchr(HEX_CHARS, text[i]) == NULL)
			return 0;
		n++;
	}
	return n > 0 && text[strlen(text) - 1] != ':' ? n : 0;
}

static int
check_sha256(const char *value, struct error *err)
{
	if (count_hex(value) != SHA256_DIGITS)
		return refuse(value, "a SHA-256 fingerprint",
			"it takes 64 hex digits, with or without colons", err);
	return 0;
}

int
rule_value_check(enum rule_kind kind, const char *value, struct error *err)
{
	switch (kind) {
	case RULE_CN:
	case RULE_OU:
	case RULE_O:
	case RULE_ISSUER_CN:
		return check_text(value, err);
	case RULE_DNS_SAN:
		return check_dns(value, err);
	case RULE_URI_SAN:
		return check_uri(value, err);
	case RULE_IP_SAN:
		return check_ip(value, err);
	case RULE_EMAIL_SAN:
		return check_email(value, err);
	case RULE_CERT_SHA256:
	case RULE_SPKI_SHA256:
	case RULE_ISSUER_SPKI_SHA256:
		return check_sha256(value, err);
	case RULE_N_KINDS:
		break;
	}
	return error_set(err, "there is no such rule");
}

static void
drop_colons(char *text)
{
	char *to = text;

	for (; *text != '\0'; text++) {
		if (*text != ':')
			*to++ = *text;
	}
	*to = '\0';
}

static void
normalise_dns(char *value)
{
	const size_t len = strlen(value);

	lower(value);
	if (len > 1 && value[len - 1] == '.')
		value[len - 1] = '\0';
}

static void
normalise_email(char *value)
{
	char *domain = strrchr(value, '@');

	/* The local part is the mail host's own business: RFC 5321, 2.4. */
	if (domain != NULL)
		lower(domain);
}

void
rule_value_normalise(enum rule_kind kind, char *value)
{
	switch (kind) {
	case RULE_DNS_SAN:
		normalise_dns(value);
		return;
	case RULE_URI_SAN:
		rule_uri_normalise(value);
		return;
	case RULE_EMAIL_SAN:
		normalise_email(value);
		return;
	case RULE_IP_SAN:
		lower(value);
		return;
	case RULE_CERT_SHA256:
	case RULE_SPKI_SHA256:
	case RULE_ISSUER_SPKI_SHA256:
		drop_colons(value);
		lower(value);
		return;
	case RULE_CN:
	case RULE_OU:
	case RULE_O:
	case RULE_ISSUER_CN:
	case RULE_N_KINDS:
		return; /* exact */
	}
}

/* The digits of a serial, after its sign and "0x". */
static const char *
serial_digits(const char *value)
{
	if (*value == '-')
		value++;
	if (value[0] == '0' && (value[1] == 'x' || value[1] == 'X'))
		value += 2;
	return value;
}

int
rule_value_check_serial(const char *value, struct error *err)
{
	const size_t n = count_hex(serial_digits(value));

	if (n == 0)
		return refuse(value, "a serial number",
			"it takes hex digits, with or without colons", err);
	if (n > SERIAL_DIGITS)
		return refuse(value, "a serial number",
			"it is longer than 64 digits", err);
	return 0;
}

void
rule_value_normalise_serial(char *value)
{
	const bool is_negative = *value == '-';
	const char *digits = serial_digits(value);
	char *to = value + is_negative;

	memmove(to, digits, strlen(digits) + 1);
	drop_colons(to);
	lower(to);
	digits = to + strspn(to, "0");
	if (*digits == '\0') {
		memcpy(value, "0", 2); /* there is no other zero */
		return;
	}
	memmove(to, digits, strlen(digits) + 1);
}
