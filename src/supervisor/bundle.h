#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisor/ticket_secret.h"

struct addr;
struct child;
struct file_record;
struct handover;
struct report;
struct settings;
struct socket_store;

/*
 * One generation as the supervisor holds it: the settings, the contents of
 * every file they name (two sealed memfds), and the listening sockets. Const
 * once made; kept as long as it is the running one, so that a worker that
 * died comes back with just this, whatever has happened to the files since.
 */
struct bundle;

/*
 * Reads the configuration at PATH and every file it names. All findings go to
 * REPORT; NULL when there was an error. Opens no socket. TICKET_SECRET is
 * this start's, for those listeners that have none of their own. RECORD_OUT
 * (may be NULL) is what was read, or looked for, in either case; the caller
 * frees.
 */
struct bundle *bundle_load(const char *path, uint64_t number,
	const uint8_t ticket_secret[TICKET_SECRET_SIZE], struct report *report,
	struct file_record **record_out);

/*
 * What HANDOVER brings, whose descriptors it takes then: the generation that
 * runs, with its sockets, or, read only, without. PATH is what its settings are
 * of. NULL, and nothing taken, with findings in REPORT: this binary does not
 * understand it.
 */
struct bundle *bundle_read(const char *path, const struct handover *handover,
	struct report *report);
struct bundle *bundle_take_over(
	const char *path, struct handover *handover, struct report *report);

/* The other way; the descriptors stay BUNDLE's. */
void bundle_hand_over(const struct bundle *bundle, struct handover *handover);

/* The same once more under another number, whatever has become of the files.
 * Opens no socket. NULL with findings in REPORT. */
struct bundle *bundle_again(
	const struct bundle *bundle, uint64_t number, struct report *report);

/* Do both say the same, in every file? */
bool bundle_is_same(const struct bundle *a, const struct bundle *b);

/* Closes everything. Sockets that another bundle shares stay open there. */
void bundle_free(struct bundle **bundle);

/*
 * Opens the listening sockets: those that PREVIOUS (may be NULL) has too are
 * shared with it, inherited ones are taken by name, stored ones by address,
 * the rest is opened anew. Returns 0, or -1 with findings in REPORT.
 */
int bundle_open_sockets(struct bundle *bundle, const struct bundle *previous,
	struct socket_store *store, struct report *report);

/* Has STORE keep those that we opened, as settings say, and nothing else. */
void bundle_store_sockets(
	const struct bundle *bundle, struct socket_store *store);

/* No connection is to come to this process any more: closes the listening
 * sockets. The files of the unix ones that we made are removed, unless
 * KEEP_FILES: somebody else holds what they lead to. */
void bundle_close_sockets(struct bundle *bundle, bool keep_files);

/*
 * Removes the files of its unix sockets that KEPT (may be NULL) has not: for a
 * bundle that is done with, while KEPT is what runs. The sockets stay open.
 */
void bundle_remove_files(
	const struct bundle *bundle, const struct bundle *kept);

/* Sends all of it to a worker, for it to build; the sockets only to one that
 * ACCEPTS. */
void bundle_stage(
	const struct bundle *bundle, struct child *worker, bool accepts);

uint64_t bundle_number(const struct bundle *bundle);
const struct settings *bundle_settings(const struct bundle *bundle);

/* From now on this process logs as its settings say. */
void bundle_use_log(const struct bundle *bundle);

/* For the log: the INDEXth socket's listener and address as bound (the port
 * is the kernel's choice where 0 was asked for). NULL beyond the last. */
const char *bundle_socket(
	const struct bundle *bundle, size_t index, struct addr *addr_out);
