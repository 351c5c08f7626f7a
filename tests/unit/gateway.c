#include "config.h"

#include "gateway.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "proxy/conn.h"
#include "proxy/listener.h"
#include "proxy/proxy.h"
#include "sockets.h"
#include "stats/stats.h"
#include "tls/tls_stock.h"

static void
capture_log(struct gateway *g)
{
	g->log_fd = memfd_create("log", MFD_CLOEXEC);
	g->stderr_fd = dup(STDERR_FILENO);
	assert_true(g->log_fd >= 0 && g->stderr_fd >= 0);
	assert_true(dup2(g->log_fd, STDERR_FILENO) >= 0);
	log_open("worker", LOG_FORMAT_TEXT, LOG_LEVEL_INFO);
}

static struct stats *
make_stats(void)
{
	int fd = stats_create_fd(NULL);
	struct stats *stats = stats_map(fd, NULL);

	assert_non_null(stats);
	assert_int_equal(close(fd), 0);
	return stats;
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

static void
set_backend(struct gateway *g)
{
	unsigned short port;
	char text[32];

	g->backend_listener = tcp_listen(&port);
	(void)snprintf(text, sizeof text, "127.0.0.1:%hu", port);
	assert_int_equal(addr_parse(text, ADDR_FOR_CONNECT,
				 &g->it->listener->backend, NULL),
		0);
}

int
gateway_setup(void **state)
{
	struct gateway *g = calloc(1, sizeof *g);
	void *it;

	assert_non_null(g);
	assert_int_equal(fixture_setup(&it), 0);
	g->it = it;
	g->ca = cert_make_ca("Test CA");
	g->server = cert_make_server("localhost", NULL);
	g->cert = cert_make_client("billing", &g->ca);
	fixture_write_cert(g->it, "ca", &g->ca);
	fixture_write_cert(g->it, "gw", &g->server);
	fixture_configure(g->it,
		"certfile = gw.pem\nkeyfile = gw.key\ncafile = ca.pem\n");
	g->backend = -1;
	set_backend(g);
	g->base = event_base_new();
	assert_non_null(g->base);
	g->stats = make_stats();
	capture_log(g);
	*state = g;
	return 0;
}

void
gateway_configure(struct gateway *g, const char *lines)
{
	settings_free(&g->it->settings);
	/* It knows the file that was. */
	file_source_free(&g->it->files);
	g->it->files = file_source_disk(g->it->dir);
	fixture_configure(g->it, lines);
}

void
gateway_open(struct gateway *g, size_t max_conns)
{
	const struct timeval often = {.tv_usec = 1000};
	const struct settings *settings = g->it->settings;
	struct tls_stock *stock = tls_stock_new(g->it->files, NULL);

	g->proxy = proxy_new(g->base, g->stats, max_conns);
	g->tick = event_new(g->base, -1, EV_PERSIST, on_tick, NULL);
	assert_non_null(g->tick);
	assert_int_equal(event_add(g->tick, &often), 0);
	g->listener = listener_new(g->proxy, &settings->process,
		g->it->listener, stock, g->it->report);
	assert_non_null(g->listener);
	tls_stock_free(&stock);
	listener_add_socket(g->listener, tcp_listen(&g->port));
	listener_start(g->listener);
}

static void
close_if_open(int fd)
{
	if (fd >= 0)
		assert_int_equal(close(fd), 0);
}

int
gateway_teardown(void **state)
{
	struct gateway *g = *state;
	void *it = g->it;

	if (g->listener != NULL)
		listener_stop(g->listener);
	listener_unref(&g->listener);
	proxy_free(&g->proxy);
	if (g->tick != NULL)
		event_free(g->tick);
	event_base_free(g->base);
	stats_unmap(&g->stats);
	close_if_open(g->backend);
	close_if_open(g->backend_listener);
	assert_true(dup2(g->stderr_fd, STDERR_FILENO) >= 0);
	close_if_open(g->stderr_fd);
	close_if_open(g->log_fd);
	cert_done(&g->ca);
	cert_done(&g->server);
	cert_done(&g->cert);
	free(g);
	return fixture_teardown(&it);
}

void
gateway_turn(struct gateway *g)
{
	assert_int_equal(proxy_turn(g->proxy), 0);
}

void
gateway_turn_idly(struct gateway *g)
{
	for (int i = 0; i < 20; i++)
		gateway_turn(g);
}

uint64_t
gateway_deadline(void)
{
	return clock_monotonic_ms() + SOCKETS_DEADLINE_MS;
}

void
gateway_turn_before(struct gateway *g, uint64_t deadline_ms)
{
	if (clock_monotonic_ms() > deadline_ms)
		fail_msg("nothing came of it; logged:\n%s", gateway_log(g));
	gateway_turn(g);
}

void
gateway_dial(
	struct gateway *g, struct tls_client *client, const struct cert *cert)
{
	const struct sockaddr_in sin = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(g->port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(
		connect(fd, (const struct sockaddr *)&sin, sizeof sin), 0);
	tls_client_init(client, fd, cert, TLS1_3_VERSION);
}

static bool
has_shaken_hands(struct tls_client *client)
{
	tls_client_step(client);
	return client->is_done;
}

static bool
has_accepted(struct gateway *g)
{
	g->backend = accept4(
		g->backend_listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	return g->backend >= 0;
}

void
gateway_accept(struct gateway *g)
{
	close_if_open(g->backend);
	g->backend = -1;
	GATEWAY_WAIT(g, has_accepted(g));
}

void
gateway_connect(struct gateway *g, struct tls_client *client)
{
	char byte;

	gateway_dial(g, client, &g->cert);
	GATEWAY_WAIT(g, has_shaken_hands(client));
	gateway_accept(g);
	GATEWAY_WAIT(g, TAILQ_LAST(&g->proxy->conns, conn_list)->state ==
				CONN_RELAYING);
	/* The tickets. */
	assert_int_equal(tls_client_read(client, &byte, 1), 0);
}

struct conn *
gateway_conn(struct gateway *g)
{
	return TAILQ_FIRST(&g->proxy->conns);
}

void
gateway_wait_closed(struct gateway *g)
{
	GATEWAY_WAIT(g, g->proxy->n_conns == 0);
	assert_true(TAILQ_EMPTY(&g->proxy->conns));
}

void
gateway_client_expect(
	struct gateway *g, struct tls_client *client, const char *text)
{
	char got[512] = "";
	size_t at = 0;

	for (uint64_t end = gateway_deadline(); at < strlen(text);
		gateway_turn_before(g, end))
		at += tls_client_read(client, got + at, sizeof got - 1 - at);
	assert_string_equal(got, text);
}

void
gateway_backend_expect(struct gateway *g, const char *text)
{
	char got[512] = "";
	size_t at = 0;
	ssize_t n;

	for (uint64_t end = gateway_deadline(); at < strlen(text);
		gateway_turn_before(g, end)) {
		n = recv(g->backend, got + at, sizeof got - 1 - at, 0);
		if (n > 0)
			at += (size_t)n;
	}
	assert_string_equal(got, text);
}

const char *
gateway_log(struct gateway *g)
{
	ssize_t n = pread(g->log_fd, g->log, sizeof g->log - 1, 0);

	assert_true(n >= 0);
	g->log[n] = '\0';
	return g->log;
}

size_t
gateway_log_lines(struct gateway *g)
{
	const char *at = gateway_log(g);
	size_t n = 0;

	while ((at = strchr(at, '\n')) != NULL) {
		at++;
		n++;
	}
	return n;
}

void
gateway_assert_logged(struct gateway *g, const char *text)
{
	if (strstr(gateway_log(g), text) == NULL)
		fail_msg("not logged: %s\nbut:\n%s", text, g->log);
}

void
gateway_assert_one_line(struct gateway *g, const char *text)
{
	gateway_assert_logged(g, text);
	if (gateway_log_lines(g) != 1)
		fail_msg("more than one line:\n%s", gateway_log(g));
}

uint64_t
gateway_count(struct gateway *g, enum stats_counter which)
{
	return stats_get(g->stats, which);
}

int
gateway_backend_ending(struct gateway *g)
{
	char byte;
	ssize_t n = -1;
	int ending = EAGAIN;

	for (uint64_t end = gateway_deadline(); ending == EAGAIN;
		gateway_turn_before(g, end)) {
		n = recv(g->backend, &byte, 1, 0);
		assert_true(n <= 0);
		ending = n == 0 ? 0 : errno;
	}
	return ending;
}

bool
gateway_client_ended_well(struct gateway *g, struct tls_client *client)
{
	char bytes[64];
	ssize_t n = -1;
	bool is_over = false;

	for (uint64_t end = gateway_deadline(); !is_over;
		gateway_turn_before(g, end)) {
		assert_int_equal(
			tls_client_read(client, bytes, sizeof bytes), 0);
		n = recv(client->fd, bytes, 1, MSG_PEEK);
		is_over = n == 0 || (n < 0 && errno != EAGAIN);
	}
	return client->got_close && n == 0;
}

void
gateway_client_say(struct tls_client *client, const char *text)
{
	assert_int_equal(
		tls_client_write(client, text, strlen(text)), strlen(text));
}

void
gateway_backend_say(struct gateway *g, const char *text)
{
	assert_int_equal(send(g->backend, text, strlen(text), 0), strlen(text));
}
