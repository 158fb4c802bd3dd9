// Making the process that becomes the container's init, in its namespaces.
#pragma once

#include <sys/types.h>

#include "plan.h"

/** Moves the process in between to where the clone is to be. `report` must stay open. */
using Enter = bool (*)(void* arg, int report, StepError* e);

/**
 * Clones from beyond: a process in between enters namespaces, which must not happen to the caller itself, and makes a
 * direct child of the caller there. Returns as clone_into_namespaces does.
 */
pid_t clone_beyond(Enter enter, void* arg, uint64_t flags, StepError* e);

/**
 * Forks once into all new namespaces of the plan, as a direct child of the caller. Returns the pid in the caller's pid
 * namespace, 0 in the child, -1 after an error. Ids are not mapped yet when it returns (see idmap.h). A child that has
 * joined namespaces is undumpable and has its OOM score.
 */
pid_t clone_into_namespaces(const Plan& plan, StepError* e);

/** A new cgroup namespace is made by init itself, once it has been put into its group. */
bool makes_cgroup_namespace_late(const Plan& plan);

/** Whether namespaces of another container are entered. */
bool joins_any(const Namespaces& ns);
