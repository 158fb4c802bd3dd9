// First as the caller: most files are root's of the container, which is the caller. What belongs to subordinate ids can
// only be removed by root of the user namespace, which the helper then becomes: it is the last thing it does.

#include "cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include "remove_tree.h"

void Cleanup::keep_namespace(const Plan& plan, pid_t pid) {
  if (plan.ns.user == UserNs::kHost) return;
  Text<32> path;
  path << "/proc/" << pid << "/ns/user";
  // Init itself cannot be looked at when it has joined others.
  user_ns_.reset(
      open(plan.ns.user == UserNs::kJoin ? plan.ns.user_path : path.c_str(), O_RDONLY | O_CLOEXEC));
}

void Cleanup::remove_container(const Lifetime& lifetime) {
  bool entered = false;
  auto remove_one = [&](const char* path) {
    StepError e;
    if (remove_tree(path, &e)) return;
    if (!entered && user_ns_ && (e.err == EACCES || e.err == EPERM) &&
        setns(user_ns_.get(), CLONE_NEWUSER) == 0) {
      entered = true;
      if (remove_tree(path, &e)) return;
    }
    print_error(e);
  };
  // Names first: from then on nobody finds the container, and its lock is free when we are gone.
  for (const char* path : lifetime.remove_paths) remove_one(path);
  remove_one(lifetime.container_dir);
}
