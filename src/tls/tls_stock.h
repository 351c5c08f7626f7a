#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct file_source;
struct listener_settings;
struct report;
struct tls_ctx;

/*
 * The contexts of one generation in a worker. A section whose recipe
 * (tls_recipe.h) another one has, be it of the generation before, shares that
 * one's SSL_CTX (tls_ctx_share): what is the same a thousand times, or did not
 * change, costs a start and a reload neither time nor memory.
 *
 * Always made anew are contexts about which there is something to say (so that
 * it is said again, and of each section) or will be by now, because a
 * certificate or CRL came into force, is about to expire or did; and those with
 * a key log, which is opened anew.
 */
struct tls_stock;

/* FILES and BEFORE (may be NULL) are borrowed up to tls_stock_complete(). */
struct tls_stock *tls_stock_new(
	struct file_source *files, const struct tls_stock *before);

/* Its contexts live on where somebody else refers to them. Accepts NULL. */
void tls_stock_free(struct tls_stock **stock);

/* As tls_ctx_new(): the caller's reference, or NULL and an error in REPORT. */
struct tls_ctx *tls_stock_get(struct tls_stock *stock,
	const struct listener_settings *listener, struct report *report);

/* Nothing is asked for any more. */
void tls_stock_complete(struct tls_stock *stock);

/* The same piece by piece, for who has others to serve in between; false: that
 * was all. */
bool tls_stock_complete_some(struct tls_stock *stock);

/* From now on its clock is wrong by SECONDS. For tests. */
void tls_stock_skew(int64_t seconds);

/* How many were asked for; and how many of them share the SSL_CTX of one of the
 * generation before, or of one that was asked for earlier. */
size_t tls_stock_count(const struct tls_stock *stock);
size_t tls_stock_reused(const struct tls_stock *stock);
size_t tls_stock_shared(const struct tls_stock *stock);
