// Standard input, output and error as the container's command gets them.
#pragma once

#include "common/unique_fd.h"
#include "plan.h"

/**
 * Opens a pty of the container's own devpts (below `root`), makes it the controlling terminal and stdio, binds it to
 * /dev/console, and sends the master to the helper. Before pivot_root; the caller leads a session.
 */
bool open_terminal(const Plan& plan, int root, int sync, StepError* e);

/** Puts the given descriptors in the place of 0, 1 and 2 and lets the container's user reopen /dev/stdout. */
bool connect_stdio(const Plan& plan, UniqueFd (&stdio)[3], StepError* e);
