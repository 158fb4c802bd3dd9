// First as the caller: most files are root's of the container, which is the caller. What belongs to subordinate ids can
// only be removed by root of the user namespace, which the helper then becomes: it is the last thing it does.

#include "cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "remove_tree.h"

bool Cleanup::keep_namespace(const Plan& plan, pid_t pid, StepError* e) {
  if (plan.ns.user == UserNs::kHost) return true;
  Text<32> own;
  own << "/proc/" << pid << "/ns/user";
  const char* path = plan.ns.user == UserNs::kJoin ? plan.ns.user_path : own.c_str();
  user_ns_.reset(open(path, O_RDONLY | O_CLOEXEC));
  return user_ns_ || fail(e, Step::kJoin, path);
}

/** Processes of the container may be left in there, where another has its pid namespace: not to look through us. */
bool Cleanup::enter() {
  return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 && setns(user_ns_.get(), CLONE_NEWUSER) == 0;
}

void Cleanup::remove_container(const Lifetime& lifetime) {
  bool entered = false;
  auto remove_one = [&](const char* path) {
    StepError e;
    if (remove_tree(path, &e)) return;
    if (!entered && user_ns_ && (e.err == EACCES || e.err == EPERM) && enter()) {
      entered = true;
      if (remove_tree(path, &e)) return;
    }
    print_error(e);
  };
  // Names first: from then on nobody finds the container, and its lock is free when we are gone.
  for (const char* path : lifetime.remove_paths) remove_one(path);
  remove_one(lifetime.container_dir);
}
