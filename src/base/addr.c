#include "config.h"

#include "base/addr.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#define UNIX_PATH_OFFSET offsetof(struct sockaddr_un, sun_path)

#define UNIX_PREFIX    "unix:"
#define SYSTEMD_PREFIX "systemd:"

static const struct sockaddr_in *
sa_in(const struct addr *addr)
{
	return (const struct sockaddr_in *)&addr->sa;
}

static const struct sockaddr_in6 *
sa_in6(const struct addr *addr)
{
	return (const struct sockaddr_in6 *)&addr->sa;
}

static const struct sockaddr_un *
sa_un(const struct addr *addr)
{
	return (const struct sockaddr_un *)&addr->sa;
}

/* Bytes of sun_path that count: without the NUL that ends a path. */
static size_t
unix_path_len(const struct addr *addr)
{
	const size_t len = addr->sa_len > UNIX_PATH_OFFSET
				   ? addr->sa_len - UNIX_PATH_OFFSET
				   : 0;

	if (len > 0 && sa_un(addr)->sun_path[0] == '\0')
		return len; /* abstract: every byte counts */
	return strnlen(sa_un(addr)->sun_path, len);
}

void
addr_from_sockaddr(const struct sockaddr *sa, socklen_t len, struct addr *out)
{
	*out = (struct addr){0};
	if (len > sizeof out->sa)
		len = sizeof out->sa;
	if (len < sizeof sa->sa_family)
		return;
	memcpy(&out->sa, sa, len);
	out->sa_len = len;
	if (sa->sa_family == AF_UNIX) {
		out->kind = ADDR_UNIX;
	} else if (sa->sa_family == AF_INET &&
		   len >= sizeof(struct sockaddr_in)) {
		out->kind = ADDR_INET;
		out->port = ntohs(sa_in(out)->sin_port);
	} else if (sa->sa_family == AF_INET6 &&
		   len >= sizeof(struct sockaddr_in6)) {
		out->kind = ADDR_INET6;
		out->port = ntohs(sa_in6(out)->sin6_port);
	}
}

static void
format_inet6(const struct addr *addr, char out[ADDR_TEXT_MAX])
{
	const struct sockaddr_in6 *sin6 = sa_in6(addr);
	char ip[INET6_ADDRSTRLEN];
	char zone[IF_NAMESIZE + 1] = "";

	(void)inet_ntop(AF_INET6, &sin6->sin6_addr, ip, sizeof ip);
	if (sin6->sin6_scope_id != 0) {
		zone[0] = '%';
		/* The interface may be gone by now: then its number. */
		if (if_indextoname(sin6->sin6_scope_id, zone + 1) == NULL)
			(void)snprintf(zone + 1, sizeof zone - 1, "%u",
				sin6->sin6_scope_id);
	}
	(void)snprintf(out, ADDR_TEXT_MAX, "[%s%s]:%u", ip, zone, addr->port);
}

static void
format_unix(const struct addr *addr, char out[ADDR_TEXT_MAX])
{
	const size_t len = unix_path_len(addr);
	char path[sizeof(struct sockaddr_storage) + 1];

	memcpy(path, sa_un(addr)->sun_path, len);
	path[len] = '\0';
	for (size_t i = 0; i < len; i++) {
		if (path[i] == '\0')
			path[i] = '@'; /* an abstract name may have more */
	}
	(void)snprintf(out, ADDR_TEXT_MAX, UNIX_PREFIX "%s", path);
}

const char *
addr_format(const struct addr *addr, char out[ADDR_TEXT_MAX])
{
	char ip[INET_ADDRSTRLEN];

	out[0] = '\0';
	switch (addr->kind) {
	case ADDR_NONE:
		break;
	case ADDR_INET:
		(void)inet_ntop(AF_INET, &sa_in(addr)->sin_addr, ip, sizeof ip);
		(void)snprintf(out, ADDR_TEXT_MAX, "%s:%u", ip, addr->port);
		break;
	case ADDR_INET6:
		if (addr->dual_stack)
			(void)snprintf(out, ADDR_TEXT_MAX, "*:%u", addr->port);
		else
			format_inet6(addr, out);
		break;
	case ADDR_UNIX:
		format_unix(addr, out);
		break;
	case ADDR_SYSTEMD:
		(void)snprintf(
			out, ADDR_TEXT_MAX, SYSTEMD_PREFIX "%s", addr->name);
		break;
	case ADDR_HOST:
		(void)snprintf(
			out, ADDR_TEXT_MAX, "%s:%u", addr->name, addr->port);
		break;
	}
	return out;
}

static bool
same_ip6(const struct addr *a, const struct addr *b)
{
	return IN6_ARE_ADDR_EQUAL(
		       &sa_in6(a)->sin6_addr, &sa_in6(b)->sin6_addr) &&
	       sa_in6(a)->sin6_scope_id == sa_in6(b)->sin6_scope_id;
}

static bool
same_path(const struct addr *a, const struct addr *b)
{
	const size_t len = unix_path_len(a);

	return len == unix_path_len(b) &&
	       memcmp(sa_un(a)->sun_path, sa_un(b)->sun_path, len) == 0;
}

bool
addr_equal(const struct addr *a, const struct addr *b)
{
	if (a->kind != b->kind || a->port != b->port ||
		a->dual_stack != b->dual_stack)
		return false;
	switch (a->kind) {
	case ADDR_NONE:
		return true;
	case ADDR_INET:
		return sa_in(a)->sin_addr.s_addr == sa_in(b)->sin_addr.s_addr;
	case ADDR_INET6:
		return same_ip6(a, b);
	case ADDR_UNIX:
		return same_path(a, b);
	case ADDR_SYSTEMD:
		return strcmp(a->name, b->name) == 0;
	case ADDR_HOST:
		return strcasecmp(a->name, b->name) == 0;
	}
	return false;
}

static bool
is_wildcard(const struct addr *addr)
{
	return addr->kind == ADDR_INET
		       ? sa_in(addr)->sin_addr.s_addr == htonl(INADDR_ANY)
		       : IN6_IS_ADDR_UNSPECIFIED(&sa_in6(addr)->sin6_addr);
}

static bool
is_inet(const struct addr *addr)
{
	return addr->kind == ADDR_INET || addr->kind == ADDR_INET6;
}

bool
addr_overlaps(const struct addr *a, const struct addr *b)
{
	if (!is_inet(a) || !is_inet(b))
		return a->kind != ADDR_NONE && addr_equal(a, b);
	if (a->port != b->port || a->port == 0)
		return false;
	if (a->kind != b->kind)
		return a->dual_stack || b->dual_stack;
	if (is_wildcard(a) || is_wildcard(b))
		return true;
	return addr_equal(a, b);
}

bool
addr_is_local(const struct addr *addr)
{
	const uint8_t *ip;

	switch (addr->kind) {
	case ADDR_NONE:
	case ADDR_SYSTEMD:
	case ADDR_HOST:
		return false;
	case ADDR_INET:
		return ntohl(sa_in(addr)->sin_addr.s_addr) >> 24 == 127;
	case ADDR_INET6:
		ip = sa_in6(addr)->sin6_addr.s6_addr;
		return IN6_IS_ADDR_LOOPBACK(&sa_in6(addr)->sin6_addr) ||
		       (IN6_IS_ADDR_V4MAPPED(&sa_in6(addr)->sin6_addr) &&
			       ip[12] == 127);
	case ADDR_UNIX:
		return true;
	}
	return false;
}

const char *
addr_unix_path(const struct addr *addr)
{
	if (addr->kind != ADDR_UNIX || sa_un(addr)->sun_path[0] == '\0')
		return NULL;
	return sa_un(addr)->sun_path;
}
