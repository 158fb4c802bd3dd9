// Three phases, with the messages of docs/dev/native-protocol.md between them:
//   1  before GO   the ids are not mapped yet; everything that needs the caller's own rights on host paths is opened
//   2  after GO    as root of the user namespace: mounts, pivot_root, terminal
//   3  after RUN   the network is there: limits, working directory, privileges, execve

#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "child_stdio.h"
#include "exec.h"
#include "idmap.h"
#include "loopback.h"
#include "mount_api.h"
#include "namespaces.h"
#include "rootfs.h"
#include "route_watch.h"
#include "security.h"
#include "setup.h"
#include "signals.h"
#include "sync.h"
#include "sys.h"
#include "tiny_init.h"

namespace {

struct Init {
  Plan* plan;
  InitChannels* channels;
  HostPaths host;
  NewRoot root;
  UniqueFd routes;
  StepError e;
};

bool helper_is_gone(int sync) {
  pollfd p = {sync, 0, 0};
  return poll(&p, 1, 0) == 1 && (p.revents & (POLLHUP | POLLERR)) != 0;
}

/**
 * The kernel clears the signal at every change of credentials, so this is called again after each. The helper may have
 * died in between, and then no signal comes any more.
 */
bool die_with_helper(Init& in) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) return fail(&in.e, Step::kParentDeath, "");
  if (helper_is_gone(in.channels->sync.get())) _exit(125);
  return true;
}

/** Waits for one message; end of file means that the helper is gone. */
void wait_for(Init& in, SyncType type) {
  SyncMessage m;
  if (receive_sync(in.channels->sync.get(), &m, nullptr) != 1 || m.type != type) _exit(125);
}

/** The helper notices when the program ends without having done its work, and kills us then. */
void wait_for_network(Init& in) {
  constexpr int kPatienceMs = 10000;
  if (!in.routes || wait_for_default_route(in.routes, kPatienceMs)) return;
  send_sync(in.channels->sync.get(), SyncType::kNote, Step::kNetwork, 0,
            "the network helper has set up no default route within 10 seconds; going on without");
}

bool separate_mounts(const Plan& plan, StepError* e) {
  bool is_private = plan.root_propagation <= Propagation::kRprivate;
  if (set_propagation("/", is_private ? Propagation::kRprivate : Propagation::kRslave)) return true;
  return fail(e, Step::kPropagation, "/");
}

bool set_names(const Plan& plan, StepError* e) {
  if (plan.hostname[0] != '\0' && sethostname(plan.hostname, strlen(plan.hostname)) < 0) {
    return fail(e, Step::kHostname, plan.hostname);
  }
  if (plan.domainname[0] != '\0' && setdomainname(plan.domainname, strlen(plan.domainname)) < 0) {
    return fail(e, Step::kHostname, plan.domainname);
  }
  return true;
}

/** For the network helper: our own may not look at the namespaces of a process that cannot be dumped. */
bool hand_over_netns(Init& in) {
  UniqueFd ns(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  if (ns && send_sync(in.channels->sync.get(), SyncType::kNetns, Step::kNetwork, 0, "", ns.get()))
    return true;
  return fail(&in.e, Step::kNetwork, "/proc/self/ns/net");
}

bool prepare(Init& in) {
  const Plan& plan = *in.plan;
  if (!die_with_helper(in)) return false;
  // A session of its own: signals of the caller's terminal reach the helper alone, which forwards them.
  setsid();
  if (!separate_mounts(plan, &in.e)) return false;
  if (plan.ns.net.kind == NsKind::kNew && !bring_up_loopback(&in.e)) return false;
  if (plan.network.kind != NetHelper::kNone) {
    in.routes = watch_routes();
    if (!hand_over_netns(in)) return false;
  }
  if (plan.ns.uts.kind == NsKind::kNew && !set_names(plan, &in.e)) return false;
  return open_host_paths(in.plan, &in.host, &in.e);
}

bool build(Init& in) {
  const Plan& plan = *in.plan;
  if (!joins_any(plan.ns) && !write_oom_score(plan.process, &in.e)) return false;
  if (!become_namespace_root(plan.ns, plan.process.keep_groups, &in.e) || !die_with_helper(in)) return false;
  umask(0022);
  if (!mount_root(plan, in.host, &in.root, &in.e)) return false;
  if (!run_setup(plan, in.host, in.root, &in.e)) return false;
  if (plan.stdio.kind == StdioKind::kTty &&
      !open_terminal(plan, in.root.root.get(), in.channels->sync.get(), &in.e)) {
    return false;
  }
  return pivot_into(in.root, plan.root_propagation, &in.e);
}

/**
 * Nothing of the host may be open when paths of the image are looked up: by /proc/self/fd/N a command, PATH or working
 * directory would lead there (CVE-2024-21626), close-on-exec or not.
 */
void drop_host_paths(Init& in) { sys::close_all_but(in.channels->sync.get()); }

/** The caller's session keyring holds his tickets and keys: not for the container to look at. */
void leave_session_keyring() { (void)syscall(SYS_keyctl, sys::kJoinSessionKeyring, nullptr); }

bool enter_cwd(const Process& p, StepError* e) { return chdir(p.cwd) == 0 || fail(e, Step::kCwd, p.cwd); }

bool finish(Init& in) {
  const Process& p = in.plan->process;
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  drop_host_paths(in);
  leave_session_keyring();
  apply_rlimits(p.rlimits);
  // First with root's rights, as docker does; a directory that only the user may enter is tried again as the user.
  bool entered = enter_cwd(p, &in.e);
  if (!entered && in.e.err != EACCES) return false;
  if (!drop_privileges(p, &in.e)) return false;
  if (!entered && !enter_cwd(p, &in.e)) return false;
  reset_signals();
  if (!die_with_helper(in)) return false;
  if (p.init && !become_tiny_init(&in.channels->sync, &in.e)) return false;
  send_sync(in.channels->sync.get(), SyncType::kExec, Step::kExec, 0, "");
  exec_command(p, &in.e);
  return false;
}

[[noreturn]] void give_up(Init& in) {
  send_error(in.channels->sync.get(), in.e);
  syscall(SYS_exit_group, exit_status_of(in.e));
  // A seccomp filter that forbids even that. A fault ends us all the same, where _exit would spin for ever.
  __builtin_trap();
}

}  // namespace

void run_init(Plan* plan, InitChannels* channels) {
  Init in = {plan, channels, {}, {}, UniqueFd(), {}};
  if (!prepare(in)) give_up(in);
  wait_for(in, SyncType::kGo);
  if (!build(in)) give_up(in);
  if (!connect_stdio(*plan, channels->stdio, &in.e)) give_up(in);
  wait_for_network(in);
  wait_for(in, SyncType::kRun);
  finish(in);
  give_up(in);
}
