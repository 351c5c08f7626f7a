#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct error;

/*
 * An address as the configuration writes it: "192.0.2.1:8443",
 * "[2001:db8::1]:8443", "*:8443", "unix:/run/x.sock", "systemd:NAME",
 * "db.example:5432". A plain value: copy and compare freely, nothing to free.
 */
enum addr_kind {
	ADDR_NONE,    /* not set */
	ADDR_INET,    /* sa is a sockaddr_in */
	ADDR_INET6,   /* sa is a sockaddr_in6 */
	ADDR_UNIX,    /* sa is a sockaddr_un */
	ADDR_SYSTEMD, /* name: the inherited socket of that name */
	ADDR_HOST     /* name and port: to be resolved outside the workers */
};

#define ADDR_NAME_MAX 255

struct addr {
	enum addr_kind kind;
	bool dual_stack; /* "*:port": [::] that takes IPv4 as well */
	uint16_t port;   /* host order; 0 where there is none */
	socklen_t sa_len;
	struct sockaddr_storage sa;
	char name[ADDR_NAME_MAX + 1];
};

/* Where an address stands decides which forms make sense there. */
enum addr_use {
	ADDR_FOR_LISTEN, /* numeric, *, unix:, systemd: */
	ADDR_FOR_CONNECT /* numeric, unix:, host name */
};

/*
 * Parses TEXT. Port 0 is accepted for listening only (the kernel chooses).
 * IPv6 wants brackets; a zone ("%eth0") is understood for link-local ones. A
 * unix path is absolute, or "@NAME" for an abstract socket. Host names are
 * letters, digits and hyphens; what ends in a number is none.
 * OUT is untouched on failure; ERR says what was expected, without the key.
 */
int addr_parse(const char *text, enum addr_use use, struct addr *out,
	struct error *err);

/* Wraps what accept() or getpeername() filled in. An unnamed unix peer is
 * ADDR_UNIX with an empty path. */
void addr_from_sockaddr(
	const struct sockaddr *sa, socklen_t len, struct addr *out);

#define ADDR_TEXT_MAX 320

/* The form that addr_parse() reads back; never fails; always terminated.
 * Returns OUT. An unnamed unix peer prints as "unix:". */
const char *addr_format(const struct addr *addr, char out[ADDR_TEXT_MAX]);

/* The same socket? (dual_stack *:p and 0.0.0.0:p are not the same text but
 * do overlap: see addr_overlaps.) */
bool addr_equal(const struct addr *a, const struct addr *b);

/* Could the two not be bound side by side? Wildcards overlap with every
 * address of their port; two port 0 never overlap. */
bool addr_overlaps(const struct addr *a, const struct addr *b);

/* 127.0.0.0/8, ::1, ::ffff:127.0.0.0/104, or a unix socket. A host name is
 * never local: what it means may change. */
bool addr_is_local(const struct addr *addr);

/* Where the file of a unix socket is, of an address that was parsed; borrowed.
 * NULL: there is none. */
const char *addr_unix_path(const struct addr *addr);
