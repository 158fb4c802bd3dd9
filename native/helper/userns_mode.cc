// The process moves itself: a short-lived child stays outside and has the ids mapped (newuidmap must be called from
// the parent namespace). So the command keeps our pid, and its exit status and signals need no relay.

#include "userns_mode.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/retry.h"
#include "idmap.h"
#include "mount_api.h"
#include "plan.h"
#include "remove_tree.h"
#include "rootfs.h"
#include "setup.h"
#include "signals.h"
#include "sync.h"

extern char** environ;

namespace {

/** In the child: waits for the namespace to exist, maps, and answers. */
[[noreturn]] void map_from_outside(const Namespaces& ns, pid_t target, int sync) {
  StepError e;
  SyncMessage m;
  if (receive_sync(sync, &m, nullptr) != 1) _exit(125);
  if (map_ids(ns, target, &e)) {
    send_sync(sync, SyncType::kGo, Step::kIdMap, 0, "");
  } else {
    send_error(sync, e);
  }
  _exit(0);
}

/** Tells the child to go on, and hears how it went. */
bool await_mapping(int sync, StepError* e) {
  SyncMessage m;
  if (!send_sync(sync, SyncType::kGo, Step::kIdMap, 0, "")) return fail(e, Step::kSocket, "");
  if (receive_sync(sync, &m, nullptr) != 1) {
    errno = ECHILD;
    return fail(e, Step::kIdMap, "");
  }
  if (m.type == SyncType::kGo) return true;
  read_error(m, e);
  return false;
}

bool enter_new(const Namespaces& ns, StepError* e) {
  UniqueFd ours, theirs;
  if (!make_sync_pair(&ours, &theirs)) return fail(e, Step::kSocket, "");
  pid_t target = getpid();
  pid_t mapper = fork();
  if (mapper < 0) return fail(e, Step::kFork, "");
  if (mapper == 0) {
    ours.reset();
    map_from_outside(ns, target, theirs.get());
  }
  theirs.reset();
  bool done = unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 || fail(e, Step::kClone, "");
  done = done && await_mapping(ours.get(), e);
  ours.reset();
  int status;
  retry([&] { return waitpid(mapper, &status, 0); });
  return done;
}

bool enter_joined(const Namespaces& ns, StepError* e) {
  UniqueFd fd(open(ns.user_path, O_RDONLY | O_CLOEXEC));
  if (!fd || setns(fd.get(), CLONE_NEWUSER) < 0) return fail(e, Step::kJoin, ns.user_path);
  return unshare(CLONE_NEWNS) == 0 || fail(e, Step::kClone, "");
}

bool enter(const Namespaces& ns, StepError* e) {
  if (ns.user == UserNs::kHost) return true;
  if (!(ns.user == UserNs::kJoin ? enter_joined(ns, e) : enter_new(ns, e))) return false;
  if (!become_namespace_root(ns, false, e)) return false;
  // Mounts of the host that come and go are still seen; ours stay here.
  return set_propagation("/", Propagation::kRslave) || fail(e, Step::kPropagation, "/");
}

bool has_root(const Plan& plan) { return plan.rootfs.overlay || plan.rootfs.path[0] != '\0'; }

/** The plan's root file system, at container_dir/root of our own mount namespace, with its setup operations done. */
bool build_root(Plan* plan, StepError* e) {
  if (!has_root(*plan)) return true;
  if (plan->ns.user == UserNs::kHost) {
    if (unshare(CLONE_NEWNS) < 0) return fail(e, Step::kClone, "");
    if (!set_propagation("/", Propagation::kRslave)) return fail(e, Step::kPropagation, "/");
  }
  HostPaths host;
  NewRoot root;
  umask(0022);
  return open_host_paths(plan, &host, e) && mount_root(*plan, host, &root, e) &&
         run_setup(*plan, host, root, e);
}

bool follow_parent(const Lifetime& lifetime, pid_t parent, StepError* e) {
  if (!lifetime.die_with_parent) return true;
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) return fail(e, Step::kParentDeath, "");
  // It was gone before the kernel could tell.
  if (getppid() != parent) raise(SIGKILL);
  return true;
}

int report(const StepError& e) {
  print_error(e);
  return exit_status_of(e);
}

}  // namespace

int run_in_user_namespace(int plan_fd) {
  StepError e;
  Plan plan;
  pid_t parent = getppid();
  reset_signals();
  if (!read_plan(plan_fd, &plan, &e)) return report(e);
  if (plan.command.count == 0) {
    errno = EINVAL;
    fail_because(&e, Step::kPlan, "", "no command");
    return report(e);
  }
  // Here already: the mapping may take its time.
  if (!follow_parent(plan.lifetime, parent, &e) || !enter(plan.ns, &e)) return report(e);
  if (!build_root(&plan, &e) || !follow_parent(plan.lifetime, parent, &e)) return report(e);
  execve(plan.command.items[0], const_cast<char**>(plan.command.items), environ);
  fail(&e, Step::kExec, plan.command.items[0]);
  return report(e);
}

int remove_in_user_namespace(int plan_fd) {
  StepError e;
  Plan plan;
  reset_signals();
  if (!read_plan(plan_fd, &plan, &e) || !enter(plan.ns, &e)) return report(e);
  int status = 0;
  for (const char* path : plan.remove) {
    if (!remove_tree(path, &e)) status = report(e);
  }
  return status;
}
