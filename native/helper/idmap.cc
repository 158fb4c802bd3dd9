// newuidmap and newgidmap are set-uid programs of the package uidmap; both take about a millisecond, so both are
// started before either is waited for. A single id (or anything, for real root) is written without them.

#include "idmap.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/retry.h"
#include "common/unique_fd.h"

extern char** environ;

namespace {

/** One of the two programs while it runs. */
struct Mapper {
  const char* name;
  pid_t pid = -1;
  UniqueFd output;
};

constexpr uint32_t kMaxMappings = 340;  // the kernel's limit

struct MapperArgs {
  char numbers[kMaxMappings * 3 + 1][11];
  char* argv[kMaxMappings * 3 + 3];
};

char* put_number(MapperArgs* a, uint32_t at, uint32_t value) {
  Text<11> text;
  text << value;
  memcpy(a->numbers[at], text.c_str(), text.size() + 1);
  return a->numbers[at];
}

bool fill_args(MapperArgs* a, const char* name, pid_t pid, const List<IdMapping>& map) {
  if (map.count > kMaxMappings) {
    errno = EINVAL;
    return false;
  }
  uint32_t n = 0;
  a->argv[n++] = const_cast<char*>(name);
  a->argv[n] = put_number(a, n - 1, static_cast<uint32_t>(pid));
  n++;
  for (const IdMapping& m : map) {
    const uint32_t values[] = {m.container_id, m.host_id, m.size};
    for (uint32_t value : values) {
      a->argv[n] = put_number(a, n - 1, value);
      n++;
    }
  }
  a->argv[n] = nullptr;
  return true;
}

bool start_mapper(Mapper* mapper, pid_t pid, const List<IdMapping>& map, StepError* e) {
  static MapperArgs args;
  if (!fill_args(&args, mapper->name, pid, map)) return fail(e, Step::kIdMap, mapper->name);
  int out[2];
  if (pipe2(out, O_CLOEXEC) < 0) return fail(e, Step::kIdMap, mapper->name);
  mapper->output.reset(out[0]);
  UniqueFd write_end(out[1]);
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attr;
  sigset_t none;
  sigemptyset(&none);
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attr);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDERR_FILENO);
  posix_spawnattr_setsigmask(&attr, &none);
  posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
  int err = posix_spawnp(&mapper->pid, mapper->name, &actions, &attr, args.argv, environ);
  posix_spawnattr_destroy(&attr);
  posix_spawn_file_actions_destroy(&actions);
  errno = err;
  return err == 0 || fail(e, Step::kIdMap, mapper->name);
}

bool finish_mapper(Mapper* mapper, StepError* e) {
  if (mapper->pid < 0) return true;
  char words[512];
  ssize_t n = read_upto(mapper->output.get(), words, sizeof words - 1);
  int status = 0;
  if (retry([&] { return waitpid(mapper->pid, &status, 0); }) < 0) return fail(e, Step::kIdMap, mapper->name);
  if (status == 0) return true;
  size_t len = n > 0 ? static_cast<size_t>(n) : 0;
  while (len > 0 && words[len - 1] == '\n') len--;
  words[len] = '\0';
  errno = EPERM;
  if (len > 0) return fail_because(e, Step::kIdMap, mapper->name, words);
  return fail(e, Step::kIdMap, mapper->name);
}

bool map_with_programs(const Namespaces& ns, pid_t pid, StepError* e) {
  Mapper uid, gid;
  uid.name = "newuidmap";
  gid.name = "newgidmap";
  bool started = start_mapper(&uid, pid, ns.uid_map, e) && start_mapper(&gid, pid, ns.gid_map, e);
  StepError ignored;
  bool uid_done = finish_mapper(&uid, started ? e : &ignored);
  bool gid_done = finish_mapper(&gid, started && uid_done ? e : &ignored);
  return started && uid_done && gid_done;
}

bool write_proc(pid_t pid, const char* name, const char* text, size_t size, StepError* e) {
  Text<64> path;
  path << "/proc/" << pid << '/' << name;
  UniqueFd fd(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  // One write: the kernel takes a map in a single call.
  if (fd && write(fd.get(), text, size) == static_cast<ssize_t>(size)) return true;
  return fail(e, Step::kIdMap, path.c_str());
}

bool write_map(pid_t pid, const char* name, const List<IdMapping>& map, StepError* e) {
  Text<4096> text;
  for (const IdMapping& m : map) text << m.container_id << ' ' << m.host_id << ' ' << m.size << '\n';
  if (text.cut()) {
    errno = EINVAL;
    return fail(e, Step::kIdMap, name);
  }
  return write_proc(pid, name, text.c_str(), text.size(), e);
}

bool map_directly(const Namespaces& ns, pid_t pid, StepError* e) {
  // Without privileges over the parent namespace, setgroups must be given up before gid_map may be written.
  if (geteuid() != 0 && !write_proc(pid, "setgroups", "deny", 4, e)) return false;
  return write_map(pid, "uid_map", ns.uid_map, e) && write_map(pid, "gid_map", ns.gid_map, e);
}

}  // namespace

bool map_ids(const Namespaces& ns, pid_t pid, StepError* e) {
  if (ns.user == UserNs::kNewIdMap) return map_with_programs(ns, pid, e);
  if (ns.user == UserNs::kNewSelf) return map_directly(ns, pid, e);
  return true;
}

uint32_t root_id(const Namespaces& ns, const List<IdMapping>& map) {
  if (ns.user == UserNs::kHost || ns.user == UserNs::kJoin) return 0;
  for (const IdMapping& m : map) {
    if (m.container_id == 0 && m.size > 0) return 0;
  }
  return map.count > 0 ? map.items[0].container_id : 0;
}

bool become_namespace_root(const Namespaces& ns, bool keep_groups, StepError* e) {
  if (ns.user == UserNs::kHost) return true;
  // The caller's groups must not reach into the new file system; where setgroups is denied they stay, unmapped.
  if (!keep_groups && syscall(SYS_setgroups, 0, nullptr) < 0 && errno != EPERM) {
    return fail(e, Step::kBecomeRoot, "groups");
  }
  uint32_t uid = root_id(ns, ns.uid_map), gid = root_id(ns, ns.gid_map);
  if (syscall(SYS_setresgid, gid, gid, gid) < 0) return fail(e, Step::kBecomeRoot, "gid");
  // Leaving an id that is not 0 keeps the capabilities only when asked to.
  if (syscall(SYS_setresuid, uid, uid, uid) < 0) return fail(e, Step::kBecomeRoot, "uid");
  return true;
}
