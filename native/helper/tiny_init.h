// --init: a pid 1 that reaps and forwards signals.
#pragma once

#include "common/unique_fd.h"
#include "error.h"

/**
 * Forks. Returns true in the child, which goes on to execute the command; the parent stays as pid 1 of the container
 * until the child ends, and exits with its status. `sync` is closed there, as an execve would.
 */
bool become_tiny_init(UniqueFd* sync, StepError* e);
