// Making the process that becomes the container's init, in its namespaces.
#pragma once

#include <sys/types.h>

#include "plan.h"

/**
 * Forks once into all new namespaces of the plan, as a direct child of the caller. Returns the pid in the caller's pid
 * namespace, 0 in the child, -1 after an error. Ids are not mapped yet when it returns (see idmap.h). A child that has
 * joined namespaces is undumpable and has its OOM score.
 */
pid_t clone_into_namespaces(const Plan& plan, StepError* e);

/** Whether namespaces of another container are entered. */
bool joins_any(const Namespaces& ns);
