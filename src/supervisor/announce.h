#pragma once

#include <stdbool.h>

struct bundle;
struct rollout_result;
struct workers;

/* What the supervisor says of its generations, to the log and to the service
 * manager (sd_notify(3)). */

/* One is on its way, after the first. Of an automatic one the log says nothing
 * here, nor below if it fails: rotation.h does. */
void announce_reloading(bool is_automatic);

/* What was found on the way. Of the first: as `check` prints it, for whoever
 * typed the command; later: lines of the log. */
void announce_start(const struct rollout_result *result);
void announce_reload(const struct rollout_result *result);

/* The first of this binary, after it took over from version FROM. */
void announce_upgrade(const struct rollout_result *result, const char *from);

/* To the log: RUNNING serves from now on. */
void announce_running(
	const struct bundle *running, const struct workers *workers);

/* To the service manager: nothing is on its way any more. */
void announce_ready(
	const struct bundle *running, const struct workers *workers);
