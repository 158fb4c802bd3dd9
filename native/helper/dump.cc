// One line a field, in the order of plan.h; text and bytes in hexadecimal behind a sign, so that nothing is lost.
// test/unit/native/encode-plan.test.ts compares it with what was encoded.

#include "dump.h"

#ifdef SKIFF_TEST_BUILD

#include <stdio.h>
#include <string.h>

#include "common/retry.h"
#include "health_rules.h"
#include "kill_listed.h"
#include "plan.h"

namespace {

void put(const char* name, uint64_t value) {
  printf("%s %llu\n", name, static_cast<unsigned long long>(value));
}

void put_bytes(const char* name, const uint8_t* data, size_t size) {
  printf("%s #", name);
  for (size_t i = 0; i < size; i++) printf("%02x", data[i]);
  printf("\n");
}

void put(const char* name, const char* text) {
  put_bytes(name, reinterpret_cast<const uint8_t*>(text), strlen(text));
}

void put(const char* name, const StringList& list) {
  put(name, list.count);
  for (const char* text : list) put("-", text);
}

void put(const char* name, const List<IdMapping>& map) {
  for (const IdMapping& m : map) printf("%s %u %u %u\n", name, m.container_id, m.host_id, m.size);
}

void put(const char* name, const NamespaceChoice& choice) {
  put(name, static_cast<uint64_t>(choice.kind));
  put(name, choice.path);
}

void put_namespaces(const Namespaces& ns) {
  put("user", static_cast<uint64_t>(ns.user));
  put("user", ns.user_path);
  put("uid", ns.uid_map);
  put("gid", ns.gid_map);
  put("pid", ns.pid);
  put("net", ns.net);
  put("ipc", ns.ipc);
  put("uts", ns.uts);
  put("cgroup", ns.cgroup);
}

void put_op(const SetupOp& op) {
  put("op", static_cast<uint64_t>(op.op));
  put("target", op.target);
  put("source", op.source);
  put("data", op.data);
  put_bytes("content", op.content.data, op.content.size);
  put("flags", op.flags);
  put("recursive", op.recursive ? 1 : 0);
  put("propagation", static_cast<uint64_t>(op.propagation));
  put("create", static_cast<uint64_t>(op.create));
  put("mode", op.mode);
  put("owner", op.uid);
  put("group", op.gid);
}

void put_process(const Process& p) {
  put("args", p.args);
  put("env", p.env);
  put("cwd", p.cwd);
  put("create-cwd", p.create_cwd ? 1 : 0);
  put("uid", p.uid);
  put("gid", p.gid);
  for (gid_t gid : p.groups) put("group", gid);
  put("keep-groups", p.keep_groups ? 1 : 0);
  put("bounding", p.caps.bounding);
  put("effective", p.caps.effective);
  put("permitted", p.caps.permitted);
  put("inheritable", p.caps.inheritable);
  put("ambient", p.caps.ambient);
  put("no-new-privs", p.no_new_privs ? 1 : 0);
  put("init", p.init ? 1 : 0);
  put("oom", p.has_oom_score ? 1 : 0);
  printf("oom-score %d\n", p.oom_score);
  put("emulate-ids", p.emulate_ids ? 1 : 0);
  put("seccomp", static_cast<uint64_t>(p.seccomp));
  put_bytes("filter", p.filter.data, p.filter.size);
  for (const Rlimit& l : p.rlimits) {
    put("rlimit", l.resource);
    put("soft", l.soft);
    put("hard", l.hard);
  }
}

void put_health(const HealthCheck& h) {
  put("probe", h.args);
  put("interval", h.interval_ms);
  put("timeout", h.timeout_ms);
  put("start-period", h.start_period_ms);
  put("start-interval", h.start_interval_ms);
  put("retries", h.retries);
  put("timeout-text", h.timeout_text);
  put("on-unhealthy", static_cast<uint64_t>(h.action));
  put("stop-signal", h.stop_signal);
  put("has-stop-timeout", h.has_stop_timeout ? 1 : 0);
  put("stop-timeout", h.stop_timeout_ms);
}

void put_rest(const Plan& plan) {
  put("stdio", static_cast<uint64_t>(plan.stdio.kind));
  put("stdin", plan.stdio.use_stdin ? 1 : 0);
  put("stdin-once", plan.stdio.stdin_once ? 1 : 0);
  put("log", plan.stdio.log);
  put("log-max-size", plan.stdio.log_max_size);
  put("log-files", plan.stdio.log_files);
  put_bytes("journal", plan.stdio.journal.data, plan.stdio.journal.size);
  put("network", static_cast<uint64_t>(plan.network.kind));
  put("program", plan.network.program);
  put("network-args", plan.network.args);
  put("socket", plan.network.api_socket);
  put("requests", plan.network.api_requests);
  put("dir", plan.lifetime.container_dir);
  printf("lock %d\n", plan.lifetime.lock_fd);
  put("remove", plan.lifetime.remove_on_exit ? 1 : 0);
  put("remove-paths", plan.lifetime.remove_paths);
  put("timeout", plan.lifetime.timeout_ms);
  put("die-with-parent", plan.lifetime.die_with_parent ? 1 : 0);
  printf("parent-fd %d\n", plan.lifetime.parent_fd);
  put("pid-file", plan.lifetime.pid_file);
  put("restart", static_cast<uint64_t>(plan.lifetime.restart));
  put("max-restarts", plan.lifetime.max_restarts);
  put("client", static_cast<uint64_t>(plan.client.kind));
  put("streams", plan.client.streams);
  put("tty", plan.client.tty ? 1 : 0);
  put("sig-proxy", plan.client.sig_proxy ? 1 : 0);
  put("detach-keys", plan.client.detach_keys.size);
  put("print", plan.client.print);
  put("print-on-failure", plan.client.print_on_failure ? 1 : 0);
  put_health(plan.health);
  put("label", plan.label);
  put("command", plan.command);
  put("paths", plan.remove);
  put("container", plan.session.container);
  put("init", static_cast<uint64_t>(plan.session.pid));
  put("start-ticks", plan.session.start_ticks);
  put("detach", plan.session.detach ? 1 : 0);
  put_bytes("detach-keys", plan.session.detach_keys.data, plan.session.detach_keys.size);
  put("event-log", plan.events.log);
  put("subject", plan.events.subject);
  put("mounted", plan.events.mounted);
  put("unmounted", plan.events.unmounted);
  put("destroyed", plan.events.destroyed);
}

void put_cgroup(const CgroupPlan& c) {
  put("groups", c.groups);
  put("v1", c.v1 ? 1 : 0);
  put("systemd", c.systemd);
  put("scope", c.scope);
  put("controllers", c.controllers);
  for (const LimitWrite& w : c.limits) {
    put("limit", w.name);
    put("file", w.file);
    put("value", w.value);
    put("other-file", w.other_file);
    put("other-value", w.other_value);
    put("implied", w.implied ? 1 : 0);
  }
  put("record", c.record);
  put("events", c.events);
  put("memory", c.memory);
  put("asked", c.asked ? 1 : 0);
  put("required", c.required ? 1 : 0);
}

}  // namespace

int dump_plan(int plan_fd) {
  Plan plan;
  StepError e;
  if (!read_plan(plan_fd, &plan, &e)) {
    print_error(e);
    return 125;
  }
  put_namespaces(plan.ns);
  put("overlay", plan.rootfs.overlay ? 1 : 0);
  put("no-dev", plan.rootfs.no_dev ? 1 : 0);
  put("lower", plan.rootfs.lower);
  put("upper", plan.rootfs.upper);
  put("work", plan.rootfs.work);
  put("path", plan.rootfs.path);
  put("root-propagation", static_cast<uint64_t>(plan.root_propagation));
  for (const SetupOp& op : plan.setup) put_op(op);
  put("hostname", plan.hostname);
  put("domainname", plan.domainname);
  for (const Sysctl& s : plan.sysctls) {
    put("sysctl", s.name);
    put("value", s.value);
  }
  put_process(plan.process);
  put_rest(plan);
  put_cgroup(plan.cgroup);
  return 0;
}

int show_listed(int list_fd) {
  char list[4096];
  ssize_t n = read_upto(list_fd, list, sizeof list - 1);
  list[n < 0 ? 0 : n] = '\0';
  const char* at = list;
  for (pid_t pid; next_listed(&at, &pid);) printf("%d\n", pid);
  return 0;
}

int follow_health_rules(int plan_fd) {
  Plan plan;
  StepError e;
  if (!read_plan(plan_fd, &plan, &e)) {
    print_error(e);
    return 125;
  }
  HealthState state;
  unsigned long long begun, ended;
  int healthy;
  printf("starting 0 %llu\n", static_cast<unsigned long long>(until_next_probe(plan.health, state, 0)));
  while (scanf("%llu %llu %d", &begun, &ended, &healthy) == 3) {
    state = after_probe(plan.health, state, healthy == 1, begun);
    uint64_t next = until_next_probe(plan.health, state, ended);
    printf("%s %u %llu\n", word_of(state.status), state.failing_streak,
           static_cast<unsigned long long>(next));
  }
  return 0;
}

#endif
