#include "config.h"

#include "base/addr.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#include "base/error.h"
#include "base/text.h"

#define UNIX_PATH_OFFSET offsetof(struct sockaddr_un, sun_path)
#define UNIX_PATH_MAX    (sizeof(((struct sockaddr_un *)0)->sun_path) - 1)

#define UNIX_PREFIX    "unix:"
#define SYSTEMD_PREFIX "systemd:"

/* DNS limits a name to 253 bytes as text and a label to 63. */
#define HOST_MAX  253
#define LABEL_MAX 63

static void
set_inet(struct addr *addr, const struct in_addr *ip, uint16_t port)
{
	struct sockaddr_in *sin = (struct sockaddr_in *)&addr->sa;

	addr->kind = ADDR_INET;
	addr->port = port;
	addr->sa_len = sizeof *sin;
	sin->sin_family = AF_INET;
	sin->sin_port = htons(port);
	sin->sin_addr = *ip;
}

static void
set_inet6(struct addr *addr, const struct in6_addr *ip, uint32_t scope,
	uint16_t port)
{
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)&addr->sa;

	addr->kind = ADDR_INET6;
	addr->port = port;
	addr->sa_len = sizeof *sin6;
	sin6->sin6_family = AF_INET6;
	sin6->sin6_port = htons(port);
	sin6->sin6_addr = *ip;
	sin6->sin6_scope_id = scope;
}

static int
parse_unix(const char *text, struct addr *addr, struct error *err)
{
	struct sockaddr_un *sun = (struct sockaddr_un *)&addr->sa;
	const char *path = text + strlen(UNIX_PREFIX);
	const size_t len = strlen(path);
	const bool is_abstract = path[0] == '@';

	if (len < 2 || (path[0] != '/' && !is_abstract))
		return error_set(err,
			"\"%s\" is not a unix socket (unix:/PATH, or "
			"unix:@NAME for an abstract one)",
			text);
	if (len > UNIX_PATH_MAX)
		return error_set(err,
			"\"%s\" is too long for a unix socket: %zu bytes, at "
			"most %zu",
			text, len, UNIX_PATH_MAX);
	addr->kind = ADDR_UNIX;
	sun->sun_family = AF_UNIX;
	memcpy(sun->sun_path, path, len);
	/* A path is followed by a NUL that counts, an abstract name is not. */
	if (is_abstract)
		sun->sun_path[0] = '\0';
	addr->sa_len =
		(socklen_t)(UNIX_PATH_OFFSET + len + (is_abstract ? 0 : 1));
	return 0;
}

/* The names that FileDescriptorName= of systemd.socket(5) takes. */
static int
parse_systemd(const char *text, struct addr *addr, struct error *err)
{
	const char *name = text + strlen(SYSTEMD_PREFIX);
	const size_t len = strlen(name);

	if (len == 0 || len > ADDR_NAME_MAX)
		goto fail;
	for (size_t i = 0; i < len; i++) {
		if (name[i] <= ' ' || name[i] > '~' || name[i] == ':')
			goto fail;
	}
	addr->kind = ADDR_SYSTEMD;
	memcpy(addr->name, name, len + 1);
	return 0;

fail:
	return error_set(err,
		"\"%s\" does not name an inherited socket (systemd:NAME)",
		text);
}

static int
parse_port(
	const char *text, enum addr_use use, uint16_t *out, struct error *err)
{
	const size_t len = strlen(text);
	const unsigned long min = use == ADDR_FOR_LISTEN ? 0 : 1;
	unsigned long port;

	if (len == 0 || len > 5 || strspn(text, "0123456789") != len)
		goto fail;
	port = strtoul(text, NULL, 10);
	if (port < min || port > UINT16_MAX)
		goto fail;
	*out = (uint16_t)port;
	return 0;

fail:
	return error_set(err, "\"%s\" is not a port (1-65535)", text);
}

static int
parse_zone(const char *zone, const struct in6_addr *ip, uint32_t *out,
	struct error *err)
{
	if (!IN6_IS_ADDR_LINKLOCAL(ip) && !IN6_IS_ADDR_MC_LINKLOCAL(ip))
		return error_set(err,
			"zone \"%%%s\" makes sense for link-local addresses "
			"only",
			zone);
	*out = if_nametoindex(zone);
	if (*out == 0)
		return error_set(
			err, "there is no network interface \"%s\"", zone);
	return 0;
}

/* "[IP%ZONE]:PORT" */
static int
parse_bracketed(const char *text, enum addr_use use, struct addr *addr,
	struct error *err)
{
	char host[INET6_ADDRSTRLEN + IF_NAMESIZE + 1];
	const char *end = strchr(text, ']');
	struct in6_addr ip;
	char *zone;
	uint32_t scope = 0;
	uint16_t port;

	if (end == NULL || end[1] != ':')
		return error_set(
			err, "\"%s\" is not of the form [IPV6]:PORT", text);
	if ((size_t)(end - text) > sizeof host)
		goto fail;
	memcpy(host, text + 1, (size_t)(end - text) - 1);
	host[end - text - 1] = '\0';
	zone = strchr(host, '%');
	if (zone != NULL)
		*zone++ = '\0';
	if (inet_pton(AF_INET6, host, &ip) != 1)
		goto fail;
	if (zone != NULL && parse_zone(zone, &ip, &scope, err) < 0)
		return -1;
	if (parse_port(end + 2, use, &port, err) < 0)
		return -1;
	set_inet6(addr, &ip, scope, port);
	return 0;

fail:
	return error_set(err, "\"%s\": no IPv6 address in the brackets", text);
}

static bool
is_label(const char *label, size_t len)
{
	if (len == 0 || len > LABEL_MAX || label[0] == '-' ||
		label[len - 1] == '-')
		return false;
	for (size_t i = 0; i < len; i++) {
		const char c = label[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
			!(c >= '0' && c <= '9') && c != '-')
			return false;
	}
	return true;
}

/* Letters, digits and hyphens (RFC 1123); one final dot may stand. */
static bool
is_host_name(const char *host)
{
	if (strlen(host) > HOST_MAX)
		return false;
	for (;;) {
		const size_t len = strcspn(host, ".");

		if (!is_label(host, len))
			return false;
		if (host[len] == '\0' || host[len + 1] == '\0')
			return true;
		host += len + 1;
	}
}

/* Does HOST end in a number, as no host name does? getaddrinfo() would take
 * "127.1", "10.0.0.010" or "0x7f.1" for an address, and not for the one that
 * it looks like. */
static bool
looks_like_inet(const char *host)
{
	size_t end = strlen(host), start;

	if (end > 0 && host[end - 1] == '.')
		end--;
	start = end;
	while (start > 0 && host[start - 1] != '.')
		start--;
	if (start == end)
		return false;
	if (strncasecmp(host + start, "0x", 2) == 0)
		return strspn(host + start + 2, "0123456789abcdefABCDEF") >=
		       end - start - 2;
	return strspn(host + start, "0123456789") >= end - start;
}

static int
set_host(struct addr *addr, const char *host, uint16_t port, enum addr_use use,
	struct error *err)
{
	struct in_addr ip;

	if (inet_pton(AF_INET, host, &ip) == 1) {
		set_inet(addr, &ip, port);
		return 0;
	}
	if (host[0] == '\0')
		return error_set(err, "no address before the port");
	if (looks_like_inet(host))
		return error_set(err, "\"%s\" is not an IPv4 address", host);
	if (use == ADDR_FOR_LISTEN)
		return error_set(err,
			"\"%s\" is not an address to listen on (IPV4:PORT, "
			"[IPV6]:PORT, *:PORT, unix:/PATH, systemd:NAME)",
			host);
	if (!is_host_name(host))
		return error_set(err, "\"%s\" is not a host name", host);
	addr->kind = ADDR_HOST;
	addr->port = port;
	(void)snprintf(addr->name, sizeof addr->name, "%s", host);
	return 0;
}

/* "IPV4:PORT", "HOST:PORT", "*:PORT" */
static int
parse_host_port(const char *text, enum addr_use use, struct addr *addr,
	struct error *err)
{
	char host[HOST_MAX + 1];
	const char *colon = strchr(text, ':');
	uint16_t port;
	size_t len;

	if (colon == NULL)
		return error_set(
			err, "\"%s\" has no port (ADDRESS:PORT)", text);
	if (strchr(colon + 1, ':') != NULL)
		return error_set(err,
			"\"%s\": an IPv6 address wants brackets ([IPV6]:PORT)",
			text);
	len = (size_t)(colon - text);
	if (len > HOST_MAX)
		return error_set(err,
			"\"%s\": a host name has at most %d "
			"bytes",
			text, HOST_MAX);
	if (parse_port(colon + 1, use, &port, err) < 0)
		return -1;
	memcpy(host, text, len);
	host[len] = '\0';
	if (strcmp(host, "*") != 0)
		return set_host(addr, host, port, use, err);
	if (use != ADDR_FOR_LISTEN)
		return error_set(err,
			"\"%s\": * can be listened on only, not connected to",
			text);
	set_inet6(addr, &in6addr_any, 0, port);
	addr->dual_stack = true;
	return 0;
}

int
addr_parse(const char *text, enum addr_use use, struct addr *out,
	struct error *err)
{
	struct addr addr = {0};
	int result;

	if (text_starts_with(text, UNIX_PREFIX))
		result = parse_unix(text, &addr, err);
	else if (!text_starts_with(text, SYSTEMD_PREFIX))
		result = text[0] == '['
				 ? parse_bracketed(text, use, &addr, err)
				 : parse_host_port(text, use, &addr, err);
	else if (use == ADDR_FOR_LISTEN)
		result = parse_systemd(text, &addr, err);
	else
		result = error_set(err,
			"\"%s\": inherited sockets can be listened on only",
			text);
	if (result == 0)
		*out = addr;
	return result;
}
