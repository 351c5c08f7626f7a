#pragma once

struct ssl_ctx_st;

/*
 * Session tickets: who may come back without showing a certificate again.
 * A ticket does not outlive the client certificate it was given for; a full
 * handshake then refuses it by name.
 */
void tls_ticket_install(struct ssl_ctx_st *ssl_ctx);
