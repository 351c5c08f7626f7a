#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/*
 * One message between two of our processes: a type, fields in a fixed order,
 * and descriptors beside them. Pure encode and decode; no I/O. Bounded: what
 * does not fit marks the message as bad instead of growing. A receiver treats
 * every message as hostile: reads past the end, or text without an end, mark
 * it as bad and yield zeros.
 */
#define MESSAGE_MAX      8192
#define MESSAGE_FDS_MAX  8
#define MESSAGE_WIRE_MAX (MESSAGE_MAX + sizeof(uint16_t))

/* Addresses in one MESSAGE_RESOLVED. */
#define MESSAGE_RESOLVED_MAX 16

/*
 * What our processes speak: the messages below, what they mean, and the layout
 * of the numbers that a worker shares (stats.h). Another text for another
 * protocol: workers of an older binary that outlive an upgrade are told
 * nothing but MESSAGE_LEAVE and MESSAGE_DRAIN by a supervisor that speaks
 * another one, so these two never change.
 */
#define MESSAGE_PROTOCOL "sallyport messages 1"

enum message_type {
	MESSAGE_NONE,
	/* supervisor to worker */
	MESSAGE_STAGE,     /* u64 generation; text settings path;
			      fds: public bundle, secret bundle */
	MESSAGE_SOCKET,    /* u64 generation; text listener; fd */
	MESSAGE_OUTPUT,    /* u64 generation; text path; fd to append to */
	MESSAGE_STAGE_END, /* u64 generation: build it */
	MESSAGE_COMMIT,    /* u64 generation; u64 connections that this worker
			      may have, 0: what its descriptors allow */
	MESSAGE_ABORT,     /* u64 generation */
	MESSAGE_RESOLVED,  /* text host; u16 port; u32 n; n sockaddr blobs;
			      text error: empty when n > 0, why when n is 0;
			      resolver to supervisor to worker */
	MESSAGE_DRAIN,     /* u64 milliseconds */
	MESSAGE_LEAVE,     /* accept no more, and end with the last
			      connection, whenever that is */
	MESSAGE_PING,      /* u64 number */
	/* worker to supervisor */
	MESSAGE_READY,   /* the process is up and confined */
	MESSAGE_STAGED,  /* u64 generation; u8 ok; fd: report */
	MESSAGE_PONG,    /* u64 number; u64 connections */
	MESSAGE_DRAINED, /* nothing left */
	/* supervisor to resolver */
	MESSAGE_RESOLVE, /* text host; u16 port */
	MESSAGE_N_TYPES
};

struct message {
	enum message_type type;
	bool bad;
	size_t len; /* bytes in data */
	size_t at;  /* next to be read */
	uint8_t data[MESSAGE_MAX];
	size_t n_fds;
	int fds[MESSAGE_FDS_MAX]; /* see channel.h for who owns them */
};

void message_init(struct message *m, enum message_type type);

/* What does not fit, a descriptor below 0 included, marks M as bad. */
void message_put_u8(struct message *m, uint8_t value);
void message_put_u16(struct message *m, uint16_t value);
void message_put_u32(struct message *m, uint32_t value);
void message_put_u64(struct message *m, uint64_t value);
void message_put_text(struct message *m, const char *text);
void message_put_bytes(struct message *m, const void *bytes, size_t len);
void message_put_fd(struct message *m, int fd);

/* Zeros, empty text and length 0 from a message that is or turns bad. */
uint8_t message_get_u8(struct message *m);
uint16_t message_get_u16(struct message *m);
uint32_t message_get_u32(struct message *m);
uint64_t message_get_u64(struct message *m);
/* Into OUT (always terminated); text that does not fit marks M as bad. */
void message_get_text(struct message *m, char *out, size_t out_size);
/* Returns the length; more than OUT_SIZE marks M as bad and returns 0. */
size_t message_get_bytes(struct message *m, void *out, size_t out_size);
/* The next descriptor, which now belongs to the caller; -1 and bad if none. */
int message_take_fd(struct message *m);

/* Closes descriptors that nobody took. For receivers: a sender's descriptors
 * stay its own. */
void message_close_fds(struct message *m);

/* Every field and descriptor read, nothing wrong? */
bool message_is_done(const struct message *m);

/* A literal; "unknown" for what is no type. */
const char *message_type_name(enum message_type type);

/*
 * The wire form: u16 type, then data, host byte order (same machine, same
 * binary). message_encode() returns the length, 0 for a bad message or one
 * that OUT is too small for. message_decode() returns false for an unknown
 * type or length and leaves M alone then; descriptors travel beside the
 * bytes, so a decoded message has none.
 */
size_t message_encode(const struct message *m, uint8_t *out, size_t out_size);
bool message_decode(struct message *m, const uint8_t *bytes, size_t len);
