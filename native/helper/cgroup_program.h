// The program that asks systemd to move a process (busctl).
#pragma once

#include <sys/types.h>

#include "plan.h"

/** Runs it to its end with `{pid}` among its arguments replaced; false, with what it said, when it fails. */
bool run_for_process(const StringList& argv, pid_t pid, StepError* e);
