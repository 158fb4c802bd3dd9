// The last step: the container's command.
#pragma once

#include "plan.h"

/** Finds args[0] as execvp(3) would inside the container and executes it; returns only with an error. */
void exec_command(const Process& p, StepError* e);
