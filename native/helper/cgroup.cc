// Plain files below /sys/fs/cgroup, and one program that asks systemd. On cgroup v2 a group whose controllers are passed
// on must hold no process itself: in a scope of systemd the helper is in one child, `monitor`, the container in another.

#include "cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup_program.h"
#include "common/retry.h"
#include "common/unique_fd.h"
#include "kill_listed.h"
#include "new_file.h"
#include "small_file.h"

namespace {

constexpr int kPollUs = 1000, kScopePolls = 5000, kKillPolls = 2000;

using Path = Text<PATH_MAX>;

/** The kernel takes a value as one write. */
bool write_file(const char* path, const char* value) {
  UniqueFd fd(open(path, O_WRONLY | O_CLOEXEC));
  size_t size = strlen(value);
  return fd && retry([&] { return write(fd.get(), value, size); }) == static_cast<ssize_t>(size);
}

void file_in(const char* dir, const char* name, Path* out) {
  out->clear();
  *out << dir << '/' << name;
}

bool parent_of(const char* path, Path* out) {
  const char* slash = strrchr(path, '/');
  if (slash == nullptr || slash == path) return false;
  out->clear();
  out->bytes(path, static_cast<size_t>(slash - path));
  return true;
}

/** A new group of cgroup v1's cpuset has no CPUs, and takes no process until it is given some: its parent's. */
bool inherit_cpuset(const char* dir, StepError* e) {
  constexpr const char* kFiles[] = {"cpuset.cpus", "cpuset.mems"};
  for (const char* name : kFiles) {
    Path own, parent, parents;
    char text[4096];
    file_in(dir, name, &own);
    if (read_small(text, own.c_str()) < 0) return true;  // another controller's
    if (text[0] != '\0' && text[0] != '\n') continue;
    if (!parent_of(dir, &parent)) continue;
    file_in(parent.c_str(), name, &parents);
    if (read_small(text, parents.c_str()) < 0 || !write_file(own.c_str(), text))
      return fail(e, Step::kCgroup, own.c_str());
  }
  return true;
}

/** With the missing ones above it. */
bool make_group(const char* path, bool v1, StepError* e) {
  if (mkdir(path, 0755) < 0 && errno != EEXIST) {
    Path parent;
    if (errno != ENOENT || !parent_of(path, &parent)) return fail(e, Step::kCgroup, path);
    if (!make_group(parent.c_str(), v1, e)) return false;
    if (mkdir(path, 0755) < 0 && errno != EEXIST) return fail(e, Step::kCgroup, path);
  }
  return !v1 || inherit_cpuset(path, e);
}

/** The group of cgroup v2 of a process, from the root of the hierarchy; false without one. `proc`: its folder. */
bool read_unified(int proc, Path* out) {
  char text[4096];
  if (read_small(text, "cgroup", proc) < 0) return false;
  const char* own = strstr(text, "0::");
  if (own == nullptr || (own != text && own[-1] != '\n')) return false;
  out->clear();
  out->bytes(own + 3, strcspn(own + 3, "\n"));
  return !out->cut();
}

/** What `group` has beyond `dir`, which names the same hierarchy by wherever it is mounted; null when it is elsewhere. */
const char* beyond(const char* dir, const TextView& group) {
  size_t dir_size = strlen(dir);
  for (size_t size = group.size(); size > 0; size--) {
    const char* rest = group.c_str() + size;
    bool whole_names = *rest == '\0' || *rest == '/';
    if (whole_names && size <= dir_size && memcmp(dir + dir_size - size, group.c_str(), size) == 0)
      return rest;
  }
  return nullptr;
}

/** Whether our own group of cgroup v2 is `dir`. */
bool are_in(const char* dir) {
  UniqueFd self(open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC));
  Path own;
  if (!self || !read_unified(self.get(), &own)) return false;
  const char* rest = beyond(dir, own);
  return rest != nullptr && *rest == '\0';
}

/** systemd answers when it has begun: we are in the scope when the kernel says so. */
bool enter_scope(const CgroupPlan& plan, StepError* e) {
  if (plan.systemd.count == 0) return true;
  if (!run_for_process(plan.systemd, getpid(), e)) return false;
  for (int i = 0; !are_in(plan.scope); i++) {
    if (i == kScopePolls) {
      errno = ETIMEDOUT;
      return fail(e, Step::kCgroup, plan.scope);
    }
    usleep(kPollUs);
  }
  Path path;
  file_in(plan.scope, "monitor", &path);
  if (mkdir(path.c_str(), 0755) < 0) return fail(e, Step::kCgroup, path.c_str());
  path << "/cgroup.procs";
  if (!write_file(path.c_str(), "0")) return fail(e, Step::kCgroup, path.c_str());
  file_in(plan.scope, "cgroup.subtree_control", &path);
  // One by one: what one limit lacks is said when it is set.
  for (const char* controller : plan.controllers) {
    Text<32> word;
    word << '+' << controller;
    (void)write_file(path.c_str(), word.c_str());
  }
  return true;
}

bool make_groups(const CgroupPlan& plan, StepError* e) {
  if (!enter_scope(plan, e)) return false;
  for (const char* group : plan.groups) {
    if (!make_group(group, plan.v1, e)) return false;
  }
  return true;
}

bool set_limit(const LimitWrite& limit, StepError* e) {
  if (write_file(limit.file, limit.value)) return true;
  bool has_other = limit.other_file[0] != '\0';
  if (has_other && errno == ENOENT && write_file(limit.other_file, limit.other_value)) return true;
  if (limit.implied) return true;
  fail(e, Step::kLimit, limit.name);
  e->cause << (has_other ? limit.other_file : limit.file) << ": " << strerror(e->err);
  return false;
}

bool write_record(const Plan& plan, StepError* e) {
  Path path;
  file_in(plan.lifetime.container_dir, "cgroup", &path);
  NewFile file(path.c_str());
  file.add(plan.cgroup.record, strlen(plan.cgroup.record));
  return file.publish() || fail(e, Step::kRecord, path.c_str());
}

bool put_into(const CgroupPlan& plan, const char* pid, StepError* e) {
  for (const char* group : plan.groups) {
    Path path;
    file_in(group, "cgroup.procs", &path);
    if (!write_file(path.c_str(), pid)) return fail(e, Step::kCgroup, path.c_str());
  }
  return true;
}

uint64_t count_oom_kills(const CgroupPlan& plan) {
  char text[4096];
  if (plan.events[0] == '\0' || read_small(text, plan.events) < 0) return 0;
  const char* line = strstr(text, "oom_kill ");
  return line == nullptr ? 0 : strtoull(line + strlen("oom_kill "), nullptr, 10);
}

/** On cgroup v1, who is frozen dies only when it is thawed; only one controller has the file. */
void thaw_all(const CgroupPlan& plan) {
  for (const char* group : plan.groups) {
    Path path;
    file_in(group, "freezer.state", &path);
    if (plan.v1) (void)write_file(path.c_str(), "THAWED");
  }
}

void kill_all(const CgroupPlan& plan) {
  thaw_all(plan);
  Path path;
  file_in(plan.groups.items[0], "cgroup.kill", &path);
  if (!plan.v1 && (write_file(path.c_str(), "1") || access(plan.groups.items[0], F_OK) < 0)) return;
  file_in(plan.groups.items[0], "cgroup.procs", &path);
  for (int i = 0; i < kKillPolls && kill_listed(path.c_str()); i++) usleep(kPollUs);
}

/** The name of some group in the group `dir`; false without one, and `name` stays. */
bool find_group_in(int dir, char (&name)[NAME_MAX + 1]) {
  UniqueFd own(openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  DIR* entries = own ? fdopendir(own.get()) : nullptr;
  if (entries == nullptr) return false;
  (void)own.release();
  bool found = false;
  while (dirent* entry = found ? nullptr : readdir(entries)) {
    found = entry->d_type == DT_DIR && entry->d_name[0] != '.';
    if (found) memcpy(name, entry->d_name, strlen(entry->d_name) + 1);
  }
  closedir(entries);
  return found;
}

/** Of the groups below `path` one that has none in it; false with errno, EBUSY when there are none. */
bool remove_innermost(const char* path) {
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  char name[NAME_MAX + 1];
  UniqueFd parent, dir(open(path, kFlags));
  while (dir && find_group_in(dir.get(), name)) {
    parent = static_cast<UniqueFd&&>(dir);
    dir.reset(openat(parent.get(), name, kFlags));
  }
  if (!parent) {
    errno = EBUSY;
    return false;
  }
  if (dir) (void)kill_listed("cgroup.procs", dir.get());
  return unlinkat(parent.get(), name, AT_REMOVEDIR) == 0 || errno == ENOENT;
}

/** With what the container itself has made in it: as deep, and by as long a path, as it pleased to. */
bool remove_group(const char* path) {
  constexpr int kMost = 100000;
  for (int i = 0; i < kMost && rmdir(path) < 0; i++) {
    if (errno == ENOENT) return true;
    if (errno != EBUSY || !remove_innermost(path)) return false;
  }
  return access(path, F_OK) < 0;
}

}  // namespace

bool Cgroup::fail_or_go_on(const CgroupPlan& plan, const StepError& own, StepError* e) {
  if (plan.required) {
    *e = own;
    return false;
  }
  if (!plan.asked) return true;
  Text<2048> words;
  describe_error(own, &words);
  words << (own.step == Step::kLimit ? "; going on without it" : "; going on without limits");
  print_note(words.c_str());
  return true;
}

bool Cgroup::make(Plan* plan, StepError* e) {
  CgroupPlan& c = plan->cgroup;
  if (c.groups.count == 0 || is_made_) return true;
  StepError own;
  // The record first: whoever finds us killed knows what to remove.
  is_made_ = true;
  if (!write_record(*plan, &own) || !make_groups(c, &own)) {
    remove(*plan);
    c.groups = StringList();
    return fail_or_go_on(c, own, e);
  }
  for (const LimitWrite& limit : c.limits) {
    if (!set_limit(limit, &own) && !fail_or_go_on(c, own, e)) return false;
  }
  return true;
}

bool Cgroup::admit(const CgroupPlan& plan, pid_t pid, StepError* e) {
  if (!is_made_) return true;
  Text<16> text;
  text << pid;
  StepError own;
  return put_into(plan, text.c_str(), &own) || fail_or_go_on(plan, own, e);
}

bool Cgroup::is_frozen(const CgroupPlan& plan) const {
  for (uint32_t i = 0; is_made_ && i < plan.groups.count; i++) {
    Path path;
    char text[64];
    // Only one controller of cgroup v1 has the file.
    file_in(plan.groups.items[i], plan.v1 ? "freezer.state" : "cgroup.freeze", &path);
    if (read_small(text, path.c_str()) > 0 && (text[0] == '1' || text[0] == 'F')) return true;
  }
  return false;
}

void Cgroup::let_die(const CgroupPlan& plan) const {
  if (is_made_) thaw_all(plan);
}

bool Cgroup::end_life(const CgroupPlan& plan) {
  if (!is_made_) return false;
  kill_all(plan);
  uint64_t before = oom_kills_;
  oom_kills_ = count_oom_kills(plan);
  return oom_kills_ > before;
}

void Cgroup::remove(const Plan& plan) {
  if (!is_made_) return;
  is_made_ = false;
  kill_all(plan.cgroup);
  int polls = 0;
  for (const char* group : plan.cgroup.groups) {
    // Who has just been killed takes a moment to leave.
    while (!remove_group(group) && errno == EBUSY && polls++ < kKillPolls) usleep(kPollUs);
  }
  Path path;
  file_in(plan.lifetime.container_dir, "cgroup", &path);
  (void)unlink(path.c_str());
}

namespace {

/** Into the container's group; or, once that has passed its controllers on and takes nobody, to where its init is now. */
bool join_init(const CgroupPlan& plan, int init, StepError* e) {
  if (put_into(plan, "0", e)) return true;
  Path group;
  if (e->err != EBUSY || plan.v1 || !read_unified(init, &group)) return false;
  const char* rest = beyond(plan.groups.items[0], group);
  if (rest == nullptr) return false;
  Path path;
  path << plan.groups.items[0] << rest << "/cgroup.procs";
  return write_file(path.c_str(), "0") || fail(e, Step::kCgroup, path.c_str());
}

}  // namespace

void join_group(const CgroupPlan& plan, int init) {
  if (plan.groups.count == 0) return;
  StepError e;
  if (join_init(plan, init, &e)) return;
  // From a login session systemd alone may move us. Once we are beside the container, the rest is for us to do.
  bool is_refused = e.err == EACCES || e.err == EPERM;
  if (is_refused && plan.systemd.count > 0 && run_for_process(plan.systemd, getpid(), &e) &&
      join_init(plan, init, &e))
    return;
  Text<2048> words;
  describe_error(e, &words);
  words << "; the command runs outside the container's limits";
  print_note(words.c_str());
}
