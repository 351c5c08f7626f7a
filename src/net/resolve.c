#include "net/resolve.h"

#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/addr.h"
#include "base/error.h"

static bool
contains(const struct addr *list, size_t n, const struct addr *addr)
{
	for (size_t i = 0; i < n; i++) {
		if (addr_equal(&list[i], addr))
			return true;
	}
	return false;
}

int
resolve_host(const char *host, uint16_t port, struct addr *out, size_t max,
	struct error *err)
{
	const struct addrinfo hints = {
		.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
	struct addrinfo *list = NULL;
	char service[sizeof "65535"];
	size_t n = 0;
	int rc;

	(void)snprintf(service, sizeof service, "%u", (unsigned)port);
	rc = getaddrinfo(host, service, &hints, &list);
	if (rc == EAI_SYSTEM)
		return error_set_errno(
			err, errno, "cannot resolve \"%s\"", host);
	if (rc != 0)
		return error_set(err, "cannot resolve \"%s\": %s", host,
			gai_strerror(rc));
	for (const struct addrinfo *ai = list; ai != NULL && n < max;
		ai = ai->ai_next) {
		if (ai->ai_family != AF_INET && ai->ai_family != AF_INET6)
			continue;
		addr_from_sockaddr(ai->ai_addr, ai->ai_addrlen, &out[n]);
		/* A name that stands twice in /etc/hosts comes twice. */
		if (!contains(out, n, &out[n]))
			n++;
	}
	freeaddrinfo(list);
	if (n == 0)
		return error_set(
			err, "cannot resolve \"%s\": no address", host);
	return (int)n;
}
