// "net.ipv4.ip_forward" is the file sys/net/ipv4/ip_forward of a procfs; as sysctl(8), a name may use slashes, and
// then dots stand for themselves.

#include "sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "common/retry.h"
#include "common/unique_fd.h"
#include "resolve.h"

namespace {

bool write_one(int proc, const char* name, const char* value) {
  Text<512> path;
  path << "sys/";
  char separator = name[strcspn(name, "./")];
  for (const char* p = name; *p != '\0'; p++) {
    path << (separator == '.' && *p == '.' ? '/' : separator == '.' && *p == '/' ? '.' : *p);
  }
  if (path.cut()) {
    errno = ENAMETOOLONG;
    return false;
  }
  UniqueFd fd = open_in_root(proc, path.c_str(), O_WRONLY);
  return fd && write_all(fd.get(), value, strlen(value));
}

/** Lets every group of the container use ping without privileges, as docker does. Best effort: the kernel may not. */
void allow_ping(const Plan& plan, int proc) {
  uint32_t first = 0, last = 2147483647;
  if (plan.ns.user == UserNs::kNewIdMap || plan.ns.user == UserNs::kNewSelf) {
    // Both ends must be mapped.
    if (plan.ns.gid_map.count == 0) return;
    first = UINT32_MAX;
    last = 0;
    for (const IdMapping& m : plan.ns.gid_map) {
      if (m.size == 0) continue;
      if (m.container_id < first) first = m.container_id;
      if (m.container_id + (m.size - 1) > last) last = m.container_id + (m.size - 1);
    }
  }
  Text<32> range;
  range << first << ' ' << last;
  (void)write_one(proc, "net.ipv4.ping_group_range", range.c_str());
}

}  // namespace

bool write_sysctls(const Plan& plan, int proc, StepError* e) {
  if (plan.ns.net.kind == NsKind::kNew) allow_ping(plan, proc);
  for (const Sysctl& s : plan.sysctls) {
    if (!write_one(proc, s.name, s.value)) return fail(e, Step::kSysctl, s.name);
  }
  return true;
}
