// Reads the plan that src/native/encode-plan.ts writes: docs/dev/native-protocol.md, "The plan". The bytes come from
// our own TypeScript, but nothing here trusts a length, a count or a missing NUL (test/fuzz/plan).

#include "plan.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "common/retry.h"
#include "forever.h"
#include "plan_reader.h"

namespace {

constexpr char kMagic[] = "SKIFPLN1";
constexpr size_t kHeaderSize = 12;
constexpr size_t kMaxSize = 64u << 20;
/** Longer than a Go duration, and far from an overflow. */
constexpr uint64_t kLongestMs = 1ull << 60;

enum class Record : uint32_t {
  kEnd,
  kNamespaces,
  kRootFs,
  kRootPropagation,
  kSetup,
  kHostname,
  kSysctls,
  kProcess,
  kSeccomp,
  kRlimits,
  kStdio,
  kNetworkHelper,
  kLifetime,
  kLabel,
  kCommand,
  kRemove,
  kExecSession,
  kClient,
  kCgroup,
  kEvents,
  kHealth,
  kCount
};

NamespaceChoice read_namespace(Reader& r) {
  NamespaceChoice c;
  c.kind = r.choice(NsKind::kJoin);
  c.path = r.str();
  return c;
}

List<IdMapping> read_mappings(Reader& r) {
  return r.list<IdMapping>(12, [&] {
    uint32_t container_id = r.u32(), host_id = r.u32(), size = r.u32();
    return IdMapping{container_id, host_id, size};
  });
}

void read_namespaces(Reader& r, Namespaces* ns) {
  ns->user = r.choice(UserNs::kJoin);
  ns->user_path = r.str();
  ns->uid_map = read_mappings(r);
  ns->gid_map = read_mappings(r);
  ns->pid = read_namespace(r);
  ns->net = read_namespace(r);
  ns->ipc = read_namespace(r);
  ns->uts = read_namespace(r);
  ns->cgroup = read_namespace(r);
}

void read_rootfs(Reader& r, RootFs* root) {
  root->overlay = r.flag();
  root->no_dev = r.flag();
  root->lower = r.strings();
  root->upper = r.str();
  root->work = r.str();
  root->path = r.str();
  if (root->overlay && root->lower.count == 0) r.spoil();
}

SetupOp read_op(Reader& r) {
  SetupOp op;
  op.op = r.choice(Op::kRootReadonly);
  op.target = r.str();
  op.source = r.str();
  op.data = r.str();
  op.content = r.blob();
  op.flags = r.u32();
  op.recursive = r.flag();
  op.propagation = r.choice(Propagation::kRshared);
  op.create = r.choice(CreateTarget::kNone);
  op.mode = r.u32();
  op.uid = r.u32();
  op.gid = r.u32();
  return op;
}

void read_process(Reader& r, Process* p) {
  p->args = r.strings();
  p->env = r.strings();
  p->cwd = r.str();
  p->create_cwd = r.flag();
  p->uid = r.u32();
  p->gid = r.u32();
  p->groups = r.list<gid_t>(4, [&] { return static_cast<gid_t>(r.u32()); });
  p->keep_groups = r.flag();
  p->caps.bounding = r.u64();
  p->caps.effective = r.u64();
  p->caps.permitted = r.u64();
  p->caps.inheritable = r.u64();
  p->caps.ambient = r.u64();
  p->no_new_privs = r.flag();
  p->init = r.flag();
  p->has_oom_score = r.flag();
  p->oom_score = static_cast<int32_t>(r.u32());
  p->emulate_ids = r.flag();
  if (p->args.count == 0) r.spoil();
}

void read_lifetime(Reader& r, Lifetime* l) {
  l->container_dir = r.str();
  l->lock_fd = static_cast<int>(r.u32());
  l->remove_on_exit = r.flag();
  l->remove_paths = r.strings();
  l->timeout_ms = r.u64();
  l->die_with_parent = r.flag();
  l->parent_fd = static_cast<int>(r.u32());
  l->pid_file = r.str();
  l->restart = r.choice(RestartKind::kAlways);
  l->max_restarts = r.u32();
}

void read_client(Reader& r, ClientPlan* c) {
  c->kind = r.choice(ClientKind::kAttached);
  c->streams = r.u32();
  c->tty = r.flag();
  c->sig_proxy = r.flag();
  c->detach_keys = r.blob();
  c->print = r.str();
  c->print_on_failure = r.flag();
  if (c->detach_keys.size > kDetachKeysMax) r.spoil();
}

void read_session(Reader& r, ExecSession* s) {
  s->container = r.str();
  s->pid = static_cast<pid_t>(r.u32());
  s->start_ticks = r.u64();
  s->detach = r.flag();
  s->detach_keys = r.blob();
  if (s->pid <= 0 || s->detach_keys.size > kDetachKeysMax) r.spoil();
}

void read_cgroup(Reader& r, CgroupPlan* c) {
  c->groups = r.strings();
  c->v1 = r.flag();
  c->systemd = r.strings();
  c->scope = r.str();
  c->controllers = r.strings();
  c->limits = r.list<LimitWrite>(29, [&] {
    LimitWrite w;
    w.name = r.str();
    w.file = r.str();
    w.value = r.str();
    w.other_file = r.str();
    w.other_value = r.str();
    w.implied = r.flag();
    return w;
  });
  c->record = r.str();
  c->events = r.str();
  c->memory = r.str();
  c->asked = r.flag();
  c->required = r.flag();
}

void read_events(Reader& r, Events* e) {
  e->log = r.str();
  e->subject = r.str();
  e->mounted = r.strings();
  e->unmounted = r.strings();
  e->destroyed = r.strings();
}

void read_health(Reader& r, HealthCheck* h) {
  h->args = r.strings();
  h->interval_ms = r.u64();
  h->timeout_ms = r.u64();
  h->start_period_ms = r.u64();
  h->start_interval_ms = r.u64();
  h->retries = r.u32();
  h->timeout_text = r.str();
  h->action = r.choice(OnUnhealthy::kStop);
  h->stop_signal = r.u32();
  h->has_stop_timeout = r.flag();
  h->stop_timeout_ms = r.u64();
  // Nothing of it may keep the helper busy, or be beyond what is added up later.
  const uint64_t positive[] = {h->interval_ms, h->timeout_ms, h->start_interval_ms};
  for (uint64_t ms : positive) {
    if (ms == 0 || ms > kLongestMs) r.spoil();
  }
  if (h->args.count == 0 || h->start_period_ms > kLongestMs || h->stop_timeout_ms > kLongestMs ||
      h->retries == 0 || h->stop_signal < 1 || h->stop_signal > 64)
    r.spoil();
}

void read_record(Record record, Reader& r, Plan* plan) {
  switch (record) {
    case Record::kNamespaces:
      return read_namespaces(r, &plan->ns);
    case Record::kRootFs:
      return read_rootfs(r, &plan->rootfs);
    case Record::kRootPropagation:
      plan->root_propagation = r.choice(Propagation::kRshared);
      return;
    case Record::kSetup:
      plan->setup = r.list<SetupOp>(49, [&] { return read_op(r); });
      return;
    case Record::kHostname:
      plan->hostname = r.str();
      plan->domainname = r.str();
      return;
    case Record::kSysctls:
      plan->sysctls = r.list<Sysctl>(10, [&] {
        const char* name = r.str();
        return Sysctl{name, r.str()};
      });
      return;
    case Record::kProcess:
      return read_process(r, &plan->process);
    case Record::kSeccomp:
      plan->process.seccomp = r.choice(SeccompKind::kFilter);
      plan->process.filter = r.blob();
      return;
    case Record::kRlimits:
      plan->process.rlimits = r.list<Rlimit>(20, [&] {
        uint32_t resource = r.u32();
        uint64_t soft = r.u64();
        return Rlimit{resource, soft, r.u64()};
      });
      return;
    case Record::kStdio:
      plan->stdio.kind = r.choice(StdioKind::kPipe);
      plan->stdio.use_stdin = r.flag();
      plan->stdio.stdin_once = r.flag();
      plan->stdio.log = r.str();
      plan->stdio.log_max_size = r.u64();
      plan->stdio.log_files = r.u32();
      plan->stdio.journal = r.blob();
      return;
    case Record::kNetworkHelper:
      plan->network.kind = r.choice(NetHelper::kSlirp);
      plan->network.program = r.str();
      plan->network.args = r.strings();
      plan->network.api_socket = r.str();
      plan->network.api_requests = r.strings();
      return;
    case Record::kLifetime:
      return read_lifetime(r, &plan->lifetime);
    case Record::kLabel:
      plan->label = r.str();
      return;
    case Record::kCommand:
      plan->command = r.strings();
      return;
    case Record::kRemove:
      plan->remove = r.strings();
      return;
    case Record::kClient:
      return read_client(r, &plan->client);
    case Record::kCgroup:
      return read_cgroup(r, &plan->cgroup);
    case Record::kExecSession:
      return read_session(r, &plan->session);
    case Record::kEvents:
      return read_events(r, &plan->events);
    case Record::kHealth:
      return read_health(r, &plan->health);
    case Record::kEnd:
    case Record::kCount:
      r.spoil();
  }
}

bool invalid(StepError* e, const char* why) {
  errno = EINVAL;
  return fail_because(e, Step::kPlan, "", why);
}

}  // namespace

bool decode_plan(const uint8_t* data, size_t size, Plan* plan, StepError* e) {
  if (size < kHeaderSize || size > kMaxSize || memcmp(data, kMagic, 8) != 0) {
    return invalid(e, "not a plan of this version");
  }
  Reader all(data + 8, size - 8);
  if (all.u32() != size) return invalid(e, "truncated");
  uint32_t seen = 0;
  for (;;) {
    uint32_t tag = all.u32();
    Blob payload = all.blob();
    if (!all.ok() || tag >= static_cast<uint32_t>(Record::kCount) || (seen & (1u << tag)) != 0) {
      return invalid(e, "malformed record");
    }
    seen |= 1u << tag;
    if (static_cast<Record>(tag) == Record::kEnd) {
      return payload.size == 0 && all.at_end() ? true : invalid(e, "malformed end");
    }
    Reader r(payload.data, payload.size);
    read_record(static_cast<Record>(tag), r, plan);
    if (!r.ok() || !r.at_end()) return invalid(e, "malformed record");
  }
}

bool read_plan(int fd, Plan* plan, StepError* e) {
  struct stat st;
  if (fstat(fd, &st) < 0) return fail(e, Step::kPlan, "");
  if (st.st_size < static_cast<off_t>(kHeaderSize) || st.st_size > static_cast<off_t>(kMaxSize)) {
    return invalid(e, "not a plan of this version");
  }
  size_t size = static_cast<size_t>(st.st_size);
  uint8_t* data = allocate_forever<uint8_t>(size);
  if (data == nullptr) return fail(e, Step::kPlan, "");
  if (lseek(fd, 0, SEEK_SET) < 0 || read_upto(fd, data, size) != static_cast<ssize_t>(size)) {
    return fail(e, Step::kPlan, "");
  }
  return decode_plan(data, size, plan, e);
}
