// The way into a container that runs: its init is found for certain, then its namespaces are entered by descriptors.
#pragma once

#include "common/unique_fd.h"
#include "plan.h"

/** A container's init. Both descriptors mean this very process, or nothing once it is gone: never another one. */
struct RunningInit {
  UniqueFd proc;   // its folder in /proc
  UniqueFd pidfd;  // readable when it has ended; empty before Linux 5.3
};

/** Opens the init of the plan's session; fails when its pid now belongs to somebody else. */
bool find_init(const ExecSession& session, RunningInit* init, StepError* e);
bool has_ended(const RunningInit& init);

/**
 * Moves the caller into every namespace of the init that is not its own already; the root directory and the working
 * directory are the container's then. The pid namespace is that of the caller's children alone.
 */
bool enter_namespaces(const RunningInit& init, const ExecSession& session, StepError* e);
