#pragma once

struct conn;

/*
 * Tells the backend who came, by the PROXY header that its listener asks for,
 * before the first byte of the client. Nothing where it asks for none. To be
 * called once, when the relay has been set up. Returns -1 when the backend is
 * gone (the relay will notice as well) or memory ran out.
 */
int conn_announce(struct conn *conn);
