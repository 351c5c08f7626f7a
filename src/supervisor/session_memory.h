#pragma once

#include <stdbool.h>

struct handover;

/*
 * What all workers remember TLS sessions in (tls/tls_session_cache.h), which
 * the supervisor makes, keeps and never looks into. The storage is the
 * caller's.
 */
struct session_memory {
	int fd; /* for workers; -1: each remembers for itself */
};

/* A failure is logged. */
void session_memory_init(struct session_memory *memory);
void session_memory_done(struct session_memory *memory);

/* From the binary before ours, in place of our own; FOREIGN: it speaks another
 * protocol, and its memory is closed. None brought, ours stays. */
void session_memory_take_over(
	struct session_memory *memory, struct handover *handover, bool foreign);

/* The other way. The descriptor stays ours. */
void session_memory_hand_over(
	const struct session_memory *memory, struct handover *handover);
