// Standard input, output and error as the container's command gets them.
#pragma once

#include "common/unique_fd.h"
#include "plan.h"

/** Whether /dev/console becomes the terminal too: that of the container's first process, and nobody else's. */
enum class Console { kBind, kLeave };

/**
 * Opens a pty of the container's own devpts (below `root`), makes it the controlling terminal and stdio, and sends the
 * master to the helper. The caller leads a session.
 */
bool open_terminal(const Plan& plan, int root, Console console, int sync, StepError* e);

/** Puts the given descriptors in the place of 0, 1 and 2 and lets the container's user reopen /dev/stdout. */
bool connect_stdio(const Plan& plan, UniqueFd (&stdio)[3], StepError* e);
