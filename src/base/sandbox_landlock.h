#pragma once

#include "base/sandbox.h"

struct error;

/*
 * One wall of sandbox_confine(): Landlock(7). A worker loses the whole file
 * system and may not bind a TCP port; a resolver may read beneath "/". Wants
 * no_new_privs. Returns 1 when the wall stands, 0 when this kernel has no
 * Landlock, -1 with ERR when it could not be put up.
 */
int sandbox_landlock(enum sandbox_role role, struct error *err);
