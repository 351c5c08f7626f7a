#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <netinet/in.h>

/* How connections are used. */
enum plan_shape {
	PLAN_TURNOVER, /* each makes one exchange and closes; then the next */
	PLAN_STEADY    /* all are opened first, and then make exchanges */
};

/* What the load generator is to do: its command line. */
struct plan {
	enum plan_shape shape;
	struct sockaddr_in target; /* the first of them */
	unsigned targets;          /* that many ports in a row */
	unsigned names;            /* 0: none; else server names in turn */
	int version;               /* TLS1_2_VERSION, TLS1_3_VERSION */
	const char *cert;          /* PEM files; NULL: no client certificate */
	const char *key;
	bool resume;
	size_t processes;
	size_t connections; /* turnover: in all; steady: held at once */
	size_t concurrency; /* turnover: at once; steady: opened at once */
	size_t warm_up;     /* turnover: connections before it counts */
	size_t exchanges;   /* steady: of each connection */
	uint64_t upload;    /* bytes of an exchange */
	uint64_t download;
	uint64_t interval_us; /* steady: from one exchange to the next */
	bool endless;         /* turnover: until told to end */
	unsigned limit_s;     /* the run fails if it takes longer */
};

/* Fills PLAN from the command line; ends the process when it is wrong. */
void plan_parse(struct plan *plan, int argc, char **argv);

/* That member's share of N things. */
size_t plan_share(const struct plan *plan, size_t n, size_t member);
