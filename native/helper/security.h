// From root of the user namespace to the rights the container's process is to have.
#pragma once

#include "plan.h"

/** Lowers or raises the limits as far as the host allows; never fatal. */
void apply_rlimits(const List<Rlimit>& limits);
bool write_oom_score(const Process& p, StepError* e);

/**
 * Groups, bounding set, ids, seccomp, capabilities and no_new_privs, in the one order that works. After it nothing but
 * execve (and what the container's seccomp filter allows) is left to do.
 */
bool drop_privileges(const Process& p, StepError* e);
