/* The plaintext service behind the proxy under test: obeys orders. */

#include "config.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/fd.h"
#include "base/mem.h"
#include "order.h"
#include "tally.h"
#include "team.h"

#define CHUNK ((size_t)256 * 1024)

/* One connection, and how far its present order is. */
struct service {
	struct event event;
	struct backend *backend;
	struct order order;
	uint64_t received; /* bytes of the upload */
	uint64_t sent;     /* bytes of the download */
	unsigned char head[ORDER_SIZE];
};

/* One process of it. */
struct backend {
	struct event_base *base;
	struct event accepting;
	struct tally *tally;
	unsigned char *chunk; /* read into, and sent from: content is nothing */
};

/* What all processes share. */
struct backends {
	struct tally *tallies;
	struct sockaddr_in address;
	int sockets[TEAM_MAX];
};

static void
end(struct service *service)
{
	if (service->received != 0)
		service->backend->tally->cut++;
	(void)event_del(&service->event);
	(void)close(event_get_fd(&service->event));
	free(service);
}

static void
await(struct service *service, short what, event_callback_fn on_event)
{
	evutil_socket_t fd = event_get_fd(&service->event);

	(void)event_del(&service->event);
	(void)event_assign(&service->event, service->backend->base, fd,
		what | EV_PERSIST, on_event, service);
	(void)event_add(&service->event, NULL);
}

/* The next bytes of the download: its head, then anything. */
static ssize_t
send_some(struct service *service)
{
	const struct order *order = &service->order;
	evutil_socket_t fd = event_get_fd(&service->event);
	unsigned char *chunk = service->backend->chunk;
	uint64_t left = order->download - service->sent;

	if (service->sent == 0)
		order_encode(order, chunk);
	return send(fd, chunk, left < CHUNK ? (size_t)left : CHUNK,
		MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void on_readable(evutil_socket_t fd, short what, void *arg);
static void on_writable(evutil_socket_t fd, short what, void *arg);

/* False when the connection has ended. */
static bool
answer(struct service *service)
{
	while (service->sent < service->order.download) {
		ssize_t n = send_some(service);

		if (n < 0 && errno == EAGAIN) {
			await(service, EV_WRITE, on_writable);
			return true;
		}
		/* The head leaves in one piece from a fresh socket buffer; if
		 * ever not, the client finds a wrong head and says so. */
		if (n <= 0) {
			end(service);
			return false;
		}
		service->sent += (uint64_t)n;
		service->backend->tally->sent += (uint64_t)n;
	}
	service->backend->tally->exchanges++;
	service->received = 0;
	service->sent = 0;
	return true;
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct service *service = arg;

	(void)fd;
	(void)what;
	if (answer(service) && service->received == 0)
		await(service, EV_READ, on_readable);
}

/* Copies what BYTES have of an order's head; false: it is none. */
static bool
take_head(struct service *service, const unsigned char *bytes, size_t len)
{
	size_t have = (size_t)service->received;
	size_t take = len;

	if (have >= ORDER_SIZE)
		return true;
	if (take > ORDER_SIZE - have)
		take = ORDER_SIZE - have;
	memcpy(service->head + have, bytes, take);
	return have + take < ORDER_SIZE ||
	       order_decode(service->head, &service->order);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct service *service = arg;
	struct backend *backend = service->backend;
	ssize_t n = recv(fd, backend->chunk, CHUNK, MSG_DONTWAIT);
	bool is_order;

	(void)what;
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		end(service);
		return;
	}
	backend->tally->received += (uint64_t)n;
	is_order = take_head(service, backend->chunk, (size_t)n);
	service->received += (uint64_t)n;
	if (!is_order) {
		end(service);
		return;
	}
	if (service->received < ORDER_SIZE ||
		service->received < service->order.upload)
		return;
	if (service->received > service->order.upload) {
		end(service); /* bytes that nobody ordered */
		return;
	}
	(void)answer(service);
}

static void
on_connection(evutil_socket_t listening, short what, void *arg)
{
	struct backend *backend = arg;
	int fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct service *service;
	int on = 1;

	(void)what;
	if (fd < 0)
		return;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	service = xcalloc(1, sizeof *service);
	service->backend = backend;
	(void)event_assign(&service->event, backend->base, fd,
		EV_READ | EV_PERSIST, on_readable, service);
	(void)event_add(&service->event, NULL);
	backend->tally->connections++;
}

static int
serve(size_t number, int control, void *arg)
{
	const struct backends *backends = arg;
	struct backend backend = {.tally = &backends->tallies[number]};

	(void)control;
	(void)fd_raise_limit();
	backend.chunk = xcalloc(1, CHUNK);
	backend.base = event_base_new();
	if (backend.base == NULL)
		return EXIT_FAILURE;
	(void)event_assign(&backend.accepting, backend.base,
		backends->sockets[number], EV_READ | EV_PERSIST, on_connection,
		&backend);
	(void)event_add(&backend.accepting, NULL);
	return event_base_dispatch(backend.base);
}

/* One listening socket for each process, all at the same address. */
static int
listen_at(struct sockaddr_in *address)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr *name = (struct sockaddr *)address;
	socklen_t len = sizeof *address;
	int on = 1;

	if (fd < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) < 0 ||
		bind(fd, name, len) < 0 || listen(fd, SOMAXCONN) < 0 ||
		getsockname(fd, name, &len) < 0) {
		perror("backend: cannot listen");
		exit(EXIT_FAILURE);
	}
	return fd;
}

/* Says the numbers whenever stdin has a line; ends with it. */
static void
report(const struct tally *tallies, size_t n)
{
	char line[64];

	while (fgets(line, sizeof line, stdin) != NULL) {
		struct tally sum = tally_sum(tallies, n);

		printf("{");
		tally_print(&sum);
		printf("}\n");
		(void)fflush(stdout);
	}
}

int
main(int argc, char **argv)
{
	long processes = argc == 2 ? strtol(argv[1], NULL, 10) : 0;
	struct backends backends = {
		.address = {.sin_family = AF_INET,
			.sin_addr.s_addr = htonl(INADDR_LOOPBACK)}};
	struct team *team;

	if (processes < 1 || processes > TEAM_MAX) {
		(void)fprintf(
			stderr, "usage: backend PROCESSES (1-%d)\n", TEAM_MAX);
		return 2;
	}
	backends.tallies =
		team_memory((size_t)processes * sizeof(struct tally));
	for (long i = 0; i < processes; i++)
		backends.sockets[i] = listen_at(&backends.address);
	printf("%u\n", ntohs(backends.address.sin_port));
	(void)fflush(stdout);
	team = team_start((size_t)processes, serve, &backends);
	for (long i = 0; i < processes; i++)
		(void)close(
			backends.sockets[i]); /* else its queue has no reader */
	report(backends.tallies, (size_t)processes);
	team_kill(&team);
	return EXIT_SUCCESS;
}
