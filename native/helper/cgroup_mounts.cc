// cgroups(7): a line of /proc/self/cgroup is "4:cpu,cpuacct:/path", "1:name=systemd:/path", or "0::/path" for cgroup v2.

#include "cgroup_mounts.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "small_file.h"

namespace {

constexpr char kNamed[] = "name=";

/** What programs look for: each controller of those that share a hierarchy. */
void link_each(int top, const char* hierarchy) {
  for (const char* at = hierarchy; *at != '\0';) {
    Text<NAME_MAX + 1> controller;
    size_t size = strcspn(at, ",");
    controller.bytes(at, size);
    if (at[size] == '\0' && at == hierarchy) return;
    (void)!symlinkat(hierarchy, top, controller.c_str());
    at += size + (at[size] == ',');
  }
}

void mount_hierarchy(int root, const char* path, int top, const char* hierarchy, uint64_t attributes) {
  bool is_named = strncmp(hierarchy, kNamed, sizeof kNamed - 1) == 0;
  const char* name = is_named ? hierarchy + sizeof kNamed - 1 : hierarchy;
  if (mkdirat(top, name, 0755) < 0) return;
  UniqueFd at(openat(top, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  Text<PATH_MAX> full;
  full << path << '/' << name;
  Text<512> cause;
  if (!at || !mount_fs({"cgroup", hierarchy, attributes}, {root, full.c_str(), at.get()}, &cause)) {
    (void)unlinkat(top, name, AT_REMOVEDIR);
  } else if (!is_named) {
    link_each(top, name);
  }
}

}  // namespace

void mount_hierarchies(int root, const char* path, int top, uint64_t attributes) {
  char text[4096];
  if (read_small(text, "/proc/self/cgroup") <= 0) return;
  for (char* line = text; *line != '\0';) {
    char* next = line + strcspn(line, "\n");
    if (*next != '\0') *next++ = '\0';
    char* hierarchy = strchr(line, ':');
    char* end = hierarchy == nullptr ? nullptr : strchr(++hierarchy, ':');
    if (end != nullptr && end != hierarchy) {
      *end = '\0';
      mount_hierarchy(root, path, top, hierarchy, attributes);
    }
    line = next;
  }
}
