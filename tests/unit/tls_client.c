#include "config.h"

#include "tls_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <fcntl.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/err.h>

#include "handshake.h"

static void
on_info(const SSL *ssl, int where, int value)
{
	struct tls_client *client = SSL_get_app_data(ssl);

	if (where != SSL_CB_READ_ALERT)
		return;
	if ((value & 0xff) == SSL_AD_CLOSE_NOTIFY)
		client->got_close = true;
	else
		client->got_alert = value & 0xff;
}

void
tls_client_init(
	struct tls_client *client, int fd, const struct cert *cert, int version)
{
	*client = (struct tls_client){.ctx = client_ctx_new(cert, version),
		.fd = fd,
		.got_alert = -1};
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	client->ssl = SSL_new(client->ctx);
	assert_non_null(client->ssl);
	assert_int_equal(SSL_set_fd(client->ssl, fd), 1);
	SSL_set_app_data(client->ssl, client);
	SSL_set_info_callback(client->ssl, on_info);
	SSL_set_connect_state(client->ssl);
	SSL_set_mode(client->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE |
					  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}

void
tls_client_done(struct tls_client *client)
{
	SSL_free(client->ssl);
	SSL_CTX_free(client->ctx);
	if (client->fd >= 0)
		assert_int_equal(close(client->fd), 0);
	*client = (struct tls_client){.fd = -1};
	ERR_clear_error();
}

void
tls_client_step(struct tls_client *client)
{
	ERR_clear_error();
	client->is_done = SSL_do_handshake(client->ssl) == 1;
	ERR_clear_error();
}

size_t
tls_client_read(struct tls_client *client, void *out, size_t size)
{
	size_t got = 0;

	ERR_clear_error();
	(void)SSL_read_ex(client->ssl, out, size, &got);
	ERR_clear_error();
	return got;
}

size_t
tls_client_write(struct tls_client *client, const void *bytes, size_t len)
{
	size_t sent = 0;

	ERR_clear_error();
	(void)SSL_write_ex(client->ssl, bytes, len, &sent);
	ERR_clear_error();
	return sent;
}

void
tls_client_end(struct tls_client *client)
{
	ERR_clear_error();
	assert_true(SSL_shutdown(client->ssl) >= 0);
}
