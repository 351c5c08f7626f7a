#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How connections are used. */
enum plan_shape {
	PLAN_TURNOVER, /* each makes one exchange and closes; then the next */
	PLAN_STEADY    /* all are opened first, and then make exchanges */
};

/* What the load generator is to do: its command line. */
struct plan {
	enum plan_shape shape;
	uint64_t port;    /* on 127.0.0.1, the first of them */
	uint64_t ports;   /* that many in a row, taken in turn */
	uint64_t names;   /* 0: none; else server names, in turn */
	int version;      /* TLS1_2_VERSION, TLS1_3_VERSION */
	const char *cert; /* PEM files; NULL: no client certificate */
	const char *key;
	bool resume;
	uint64_t processes;
	uint64_t connections; /* turnover: in all; steady: held at once */
	uint64_t concurrency; /* turnover: at once; steady: opened at once */
	uint64_t warm_up;     /* turnover: connections before it counts */
	uint64_t exchanges;   /* steady: of each connection */
	uint64_t upload;      /* bytes of an exchange */
	uint64_t download;
	uint64_t interval_us; /* steady: from one exchange to the next */
	bool endless;         /* turnover: until told to end */
	uint64_t limit_s;     /* the run fails if it takes longer */
};

/* Fills PLAN from the command line; ends the process when it is wrong. */
void plan_parse(struct plan *plan, int argc, char **argv);

/* That member's share of N things. */
size_t plan_share(const struct plan *plan, uint64_t n, size_t member);
