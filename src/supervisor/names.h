#pragma once

#include <stdbool.h>

struct event_base;
struct message;
struct process_settings;
struct settings;
struct names;

/*
 * Host names of backends and what they mean now: asks a resolver process (it
 * alone may block, and reads /etc), at load and every NAMES_EVERY_MS, and
 * tells each answer.
 */
#define NAMES_EVERY_MS 30000

/* ANSWER is a MESSAGE_RESOLVED, to be handed on to the workers as it is. */
typedef void (*names_answer_fn)(const struct message *answer, void *arg);

struct names *names_new(
	struct event_base *base, names_answer_fn on_answer, void *arg);
void names_free(struct names **names);

/* From now on these settings' names are asked for. The resolver is started
 * with the first name there is, as the first settings say. */
void names_use(struct names *names, const struct settings *settings);

/* And nobody else's any more. */
void names_keep(struct names *names, const struct settings *settings);

/* For resolvers to come; borrowed until the next call. */
void names_set_process(
	struct names *names, const struct process_settings *process);

/* Has every name been answered at least once, be it with "unknown"? */
bool names_all_answered(const struct names *names);

/* Hands every answer that there is to TELL: for those who missed it. */
void names_repeat(const struct names *names, names_answer_fn tell, void *arg);

/* No resolver any more. */
void names_stop(struct names *names);
