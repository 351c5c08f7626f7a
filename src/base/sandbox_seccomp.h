#pragma once

#include "base/sandbox.h"

struct error;

/*
 * One wall of sandbox_confine(): an allow list of system calls, EPERM for the
 * rest. Wants no_new_privs. Returns 1 when the wall stands, 0 when kernel or
 * build have no seccomp, -1 with ERR when it could not be put up.
 */
int sandbox_seccomp(enum sandbox_role role, struct error *err);
