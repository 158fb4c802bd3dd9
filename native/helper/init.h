// The container's init: from the clone to the execve of the container's command.
#pragma once

#include "common/unique_fd.h"
#include "plan.h"

/** What init gets from the helper besides the plan. */
struct InitChannels {
  UniqueFd sync;
  /** Ends of pipes that become stdin, stdout and stderr; -1: inherited. */
  UniqueFd stdio[3];
};

/** Runs in the clone and never returns: it executes, or sends its error and exits. */
[[noreturn]] void run_init(Plan* plan, InitChannels* channels);
