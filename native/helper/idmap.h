// user_namespaces(7), "User and group ID mappings".
#pragma once

#include <sys/types.h>

#include "plan.h"

/** Maps the ids of `pid`'s new user namespace; nothing to do when it has none of its own. */
bool map_ids(const Namespaces& ns, pid_t pid, StepError* e);

/** Ids that act as root inside: 0 where it is mapped, else the first that is. */
uint32_t root_id(const Namespaces& ns, const List<IdMapping>& map);
/** In the new user namespace, after its ids were mapped. */
bool become_namespace_root(const Namespaces& ns, bool keep_groups, StepError* e);
