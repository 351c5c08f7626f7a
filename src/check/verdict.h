#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "authz/policy.h"
#include "tls/tls_error.h"

struct identity;
struct listener_settings;

/* What `sallyport authorize` has found out. Borrows all it points to. */
struct verdict {
	const struct identity *identity;
	const char *listener;
	const char *server_name;                 /* NULL: none was asked for */
	const struct listener_settings *section; /* that serves; NULL: none */
	bool allowed;
	struct policy_decision decision; /* what lets it in */
	struct tls_failure failure;      /* why it is refused */
};

/*
 * As lines "KEY: VALUE" for people, of which the last says
 *   allowed: RULE
 * or
 *   refused: TOKEN: DETAIL
 * Control characters are escaped, names beyond a hundred only counted.
 */
void verdict_print(const struct verdict *verdict, FILE *out);

/*
 * As one JSON object on one line:
 *   {"allowed":BOOL,"reason":RULE or TOKEN,"detail":TEXT,"listener":TEXT,
 *    "server_name":TEXT,"section":TEXT,"identity":{"subject":TEXT,
 *    "issuer":TEXT,"serial":TEXT,"sha256":TEXT,"spki_sha256":TEXT,"dns":
 *    [TEXT, ...],"uri":[...],"ip":[...],"email":[...],"bad_names":N}}
 * detail is of a refusal only; server_name and section may be null.
 */
void verdict_print_json(const struct verdict *verdict, FILE *out);
