// First as the caller: most files are root's of the container, which is the caller. What belongs to subordinate ids can
// only be removed by root of the user namespace, which the helper then becomes: it is the last thing it does.

#include "cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "remove_tree.h"

namespace {

/** The last component. */
const char* base_of(const char* path) {
  const char* slash = strrchr(path, '/');
  return slash == nullptr ? path : slash + 1;
}

bool is_link_to(int dir, const char* name, const char* target) {
  char text[128];
  ssize_t n = readlinkat(dir, name, text, sizeof text);
  return n == static_cast<ssize_t>(strlen(target)) && memcmp(text, target, strlen(target)) == 0;
}

/** Every name of the container `id` in the folder of `link`: it may have been renamed, and its old name be another's. */
void remove_names(const char* link, const char* id) {
  Text<PATH_MAX> folder;
  folder.bytes(link, static_cast<size_t>(base_of(link) - link));
  UniqueFd dir(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!dir) return;
  if (is_link_to(dir.get(), base_of(link), id)) {
    unlinkat(dir.get(), base_of(link), 0);
    return;
  }
  DIR* names = opendir(folder.c_str());
  if (names == nullptr) return;
  while (dirent* entry = readdir(names)) {
    if (is_link_to(dir.get(), entry->d_name, id)) unlinkat(dir.get(), entry->d_name, 0);
  }
  closedir(names);
}

}  // namespace

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
  for (const char* path : lifetime.remove_paths) remove_names(path, base_of(lifetime.container_dir));
  remove_one(lifetime.container_dir);
}
