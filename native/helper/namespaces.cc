// One clone3 makes all new namespaces at once, the user namespace first. Namespaces that are joined need a process in
// between: it enters them with setns, which must not happen to the helper itself (it would lose its rights on the
// host), and then clones with CLONE_PARENT, so that init is the helper's child all the same.

#include "namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/retry.h"
#include "common/unique_fd.h"
#include "security.h"
#include "sync.h"
#include "sys.h"

namespace {

constexpr int kKinds = 5;

struct Choice {
  const NamespaceChoice* choice;
  int flag;
};

struct Choices {
  Choice of[kKinds];
  explicit Choices(const Namespaces& ns)
      : of{{&ns.net, CLONE_NEWNET},
           {&ns.ipc, CLONE_NEWIPC},
           {&ns.uts, CLONE_NEWUTS},
           {&ns.cgroup, CLONE_NEWCGROUP},
           {&ns.pid, CLONE_NEWPID}} {}
};

uint64_t new_flags(const Plan& plan) {
  const Namespaces& ns = plan.ns;
  uint64_t flags = CLONE_NEWNS;
  if (ns.user == UserNs::kNewIdMap || ns.user == UserNs::kNewSelf) flags |= CLONE_NEWUSER;
  for (const Choice& c : Choices(ns).of) {
    if (c.choice->kind == NsKind::kNew) flags |= static_cast<uint64_t>(c.flag);
  }
  if (makes_cgroup_namespace_late(plan)) flags &= ~static_cast<uint64_t>(CLONE_NEWCGROUP);
  return flags;
}

pid_t clone_now(uint64_t flags) {
  sys::CloneArgs args = {};
  args.flags = flags;
  // With CLONE_PARENT the exit signal is the caller's, and naming one is an error.
  args.exit_signal = (flags & CLONE_PARENT) != 0 ? 0 : SIGCHLD;
  pid_t pid = sys::clone3(args);
  if (pid >= 0 || (errno != ENOSYS && errno != EPERM)) return pid;
  // Kernels before 5.3, and sandboxes that forbid what they cannot look into. As fork: no stack, no thread ids.
  // The order of clone's arguments differs between architectures, but all that differ are zero here.
  unsigned long old_flags = static_cast<unsigned long>(flags | args.exit_signal);
#if defined(__s390x__)
  return static_cast<pid_t>(syscall(SYS_clone, 0, old_flags, nullptr, nullptr, 0));
#else
  return static_cast<pid_t>(syscall(SYS_clone, old_flags, 0, nullptr, nullptr, 0));
#endif
}

struct OpenNamespaces {
  UniqueFd user;
  UniqueFd of[kKinds];
};

bool open_joined(const Namespaces& ns, OpenNamespaces* open_ns, StepError* e) {
  if (ns.user == UserNs::kJoin) {
    open_ns->user.reset(open(ns.user_path, O_RDONLY | O_CLOEXEC));
    if (!open_ns->user) return fail(e, Step::kJoin, ns.user_path);
  }
  Choices choices(ns);
  for (int i = 0; i < kKinds; i++) {
    const NamespaceChoice& c = *choices.of[i].choice;
    if (c.kind != NsKind::kJoin) continue;
    open_ns->of[i].reset(open(c.path, O_RDONLY | O_CLOEXEC));
    if (!open_ns->of[i]) return fail(e, Step::kJoin, c.path);
  }
  return true;
}

bool enter_all(const Namespaces& ns, const OpenNamespaces& open_ns, StepError* e) {
  // The user namespace comes first: it gives the rights over those that belong to it.
  if (open_ns.user && setns(open_ns.user.get(), CLONE_NEWUSER) < 0) return fail(e, Step::kJoin, ns.user_path);
  Choices choices(ns);
  for (int i = 0; i < kKinds; i++) {
    if (!open_ns.of[i]) continue;
    if (setns(open_ns.of[i].get(), choices.of[i].flag) < 0)
      return fail(e, Step::kJoin, choices.of[i].choice->path);
  }
  return true;
}

/**
 * Who is in those namespaces already and has our rights there could trace us and take the host's descriptors
 * (CVE-2016-9962), so we cannot be dumped from before the first is entered. /proc/self belongs to the host's root then,
 * hence the OOM score, which init inherits, comes before.
 */
bool hide_from_inside(const Process& p, StepError* e) {
  if (!write_oom_score(p, e)) return false;
  return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 || fail(e, Step::kJoin, "");
}

struct Joining {
  const Plan* plan;
  OpenNamespaces open_ns;
};

bool enter_joined(void* arg, int, StepError* e) {
  const Joining& joining = *static_cast<Joining*>(arg);
  return hide_from_inside(joining.plan->process, e) && enter_all(joining.plan->ns, joining.open_ns, e);
}

/** In the process in between: enters, clones, and tells the helper the pid or the error. Returns only in the clone. */
void enter_and_clone(Enter enter, void* arg, uint64_t flags, int report) {
  StepError e;
  if (!enter(arg, report, &e)) {
    send_error(report, e);
    _exit(1);
  }
  pid_t pid = clone_now(flags | CLONE_PARENT);
  if (pid == 0) return;
  if (pid < 0) {
    fail(&e, Step::kClone, "");
    send_error(report, e);
    _exit(1);
  }
  // The pid is that of our own pid namespace, which is the helper's: setns(CLONE_NEWPID) is for children alone.
  send_sync(report, SyncType::kGo, Step::kClone, pid, "");
  _exit(0);
}

}  // namespace

pid_t clone_beyond(Enter enter, void* arg, uint64_t flags, StepError* e) {
  UniqueFd ours, theirs;
  if (!make_sync_pair(&ours, &theirs)) return fail(e, Step::kSocket, ""), -1;
  pid_t between = clone_now(0);
  if (between < 0) return fail(e, Step::kClone, ""), -1;
  if (between == 0) {
    ours.reset();
    enter_and_clone(enter, arg, flags, theirs.get());
    return 0;
  }
  theirs.reset();
  SyncMessage m;
  int got = receive_sync(ours.get(), &m, nullptr);
  int status;
  retry([&] { return waitpid(between, &status, 0); });
  if (got == 1 && m.type == SyncType::kGo) return m.err;
  if (got == 1) {
    read_error(m, e);
  } else {
    errno = ECHILD;
    fail(e, Step::kClone, "");
  }
  return -1;
}

bool makes_cgroup_namespace_late(const Plan& plan) {
  return plan.cgroup.groups.count > 0 && plan.ns.cgroup.kind == NsKind::kNew;
}

bool joins_any(const Namespaces& ns) {
  if (ns.user == UserNs::kJoin) return true;
  for (const Choice& c : Choices(ns).of) {
    if (c.choice->kind == NsKind::kJoin) return true;
  }
  return false;
}

pid_t clone_into_namespaces(const Plan& plan, StepError* e) {
  if (joins_any(plan.ns)) {
    Joining joining = {&plan, {}};
    if (!open_joined(plan.ns, &joining.open_ns, e)) return -1;
    return clone_beyond(enter_joined, &joining, new_flags(plan), e);
  }
  pid_t pid = clone_now(new_flags(plan));
  if (pid < 0) fail(e, Step::kClone, "");
  return pid;
}
