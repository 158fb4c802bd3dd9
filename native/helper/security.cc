// The order follows from what each step needs:
//   groups and bounding set   CAP_SETGID, CAP_SETPCAP
//   ids                       CAP_SETUID, CAP_SETGID; keepcaps holds the permitted set over the change
//   seccomp                   CAP_SYS_ADMIN in this user namespace, unless no_new_privs is set: hence before the
//                             capabilities go. With no_new_privs it is the very last step.
//   capabilities, ambient     nothing

#include "security.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/retry.h"
#include "common/unique_fd.h"
#include "small_file.h"

#if __has_include("seccomp-default.inc")
#include "seccomp-default.inc"
#else
#error "seccomp-default.inc is missing: scripts/gen-seccomp.ts makes it (npm run build)"
#endif

namespace {

/** setgroups may be denied for good: a user namespace whose single id was mapped without privileges. */
bool groups_are_denied() {
  char word[8];
  return read_small(word, "/proc/self/setgroups") > 0 && strncmp(word, "deny", 4) == 0;
}

bool set_groups(const Process& p, StepError* e) {
  if (p.keep_groups || p.emulate_ids) return true;
  // Raw: the C library's wrapper would take the list's size for granted and signal threads.
  if (syscall(SYS_setgroups, p.groups.count, p.groups.items) == 0) return true;
  int err = errno;
  if (err == EPERM && p.groups.count == 0 && groups_are_denied()) return true;
  errno = err;
  if (err == EPERM) {
    return fail_because(e, Step::kGroups, "",
                        "not possible with a single mapped id (Operation not permitted)");
  }
  if (err == EINVAL) {
    return fail_because(e, Step::kGroups, "",
                        "a group is outside of the container's range of ids (Invalid argument)");
  }
  return fail(e, Step::kGroups, "");
}

bool limit_bounding_set(uint64_t keep, StepError* e) {
  for (int cap = 0; cap < 64; cap++) {
    if (keep & (1ull << cap)) continue;
    if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0) continue;
    if (errno == EINVAL) return true;  // past the kernel's last capability
    return fail(e, Step::kCapabilities, "bounding set");
  }
  return true;
}

bool set_capabilities(uint64_t effective, uint64_t permitted, uint64_t inheritable, StepError* e) {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2];
  for (int i = 0; i < 2; i++) {
    data[i].effective = static_cast<uint32_t>(effective >> (32 * i));
    data[i].permitted = static_cast<uint32_t>(permitted >> (32 * i));
    data[i].inheritable = static_cast<uint32_t>(inheritable >> (32 * i));
  }
  return syscall(SYS_capset, &header, data) == 0 || fail(e, Step::kCapabilities, "");
}

bool get_permitted(uint64_t* permitted, StepError* e) {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2];
  if (syscall(SYS_capget, &header, data) < 0) return fail(e, Step::kCapabilities, "");
  *permitted = data[0].permitted | (static_cast<uint64_t>(data[1].permitted) << 32);
  return true;
}

bool raise_ambient(uint64_t ambient, StepError* e) {
  for (int cap = 0; cap < 64; cap++) {
    if ((ambient & (1ull << cap)) == 0) continue;
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0 && errno != EINVAL) {
      return fail(e, Step::kCapabilities, "ambient set");
    }
  }
  return true;
}

/** Changes the ids and has every permitted capability effective again afterwards. */
bool change_user(const Process& p, StepError* e) {
  if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0) return fail(e, Step::kUser, "");
  Text<48> who;
  who << p.uid << ':' << p.gid;
  if (!p.emulate_ids &&
      (syscall(SYS_setresgid, p.gid, p.gid, p.gid) < 0 || syscall(SYS_setresuid, p.uid, p.uid, p.uid) < 0)) {
    if (errno != EINVAL) return fail(e, Step::kUser, who.c_str());
    return fail_because(e, Step::kUser, who.c_str(),
                        "outside of the container's range of ids (Invalid argument)");
  }
  if (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0) return fail(e, Step::kUser, who.c_str());
  uint64_t permitted = 0;
  return get_permitted(&permitted, e) && set_capabilities(permitted, permitted, 0, e);
}

bool install_seccomp(const Process& p, StepError* e) {
  if (p.seccomp == SeccompKind::kUnconfined) return true;
  const void* code = p.seccomp == SeccompKind::kDefault ? kDefaultSeccomp : p.filter.data;
  size_t size = p.seccomp == SeccompKind::kDefault ? sizeof kDefaultSeccomp : p.filter.size;
  if (size == 0 || size % sizeof(sock_filter) != 0 || size / sizeof(sock_filter) > BPF_MAXINSNS) {
    errno = EINVAL;
    return fail(e, Step::kSeccomp, "");
  }
  sock_fprog program = {static_cast<unsigned short>(size / sizeof(sock_filter)),
                        static_cast<sock_filter*>(const_cast<void*>(code))};
  // LOG writes what is denied to the audit log; not every kernel has it. SPEC_ALLOW spares the container the cost of
  // mitigations that docker's filter does not ask for either.
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program) == 0)
    return true;
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0) return true;
  return fail(e, Step::kSeccomp, "");
}

}  // namespace

void apply_rlimits(const List<Rlimit>& limits) {
  for (const Rlimit& l : limits) {
    rlimit now;
    int resource = static_cast<int>(l.resource);
    if (getrlimit(resource, &now) < 0) continue;  // a limit this kernel does not know
    rlimit want = {static_cast<rlim_t>(l.soft), static_cast<rlim_t>(l.hard)};
    if (want.rlim_cur > want.rlim_max) want.rlim_cur = want.rlim_max;
    if (setrlimit(resource, &want) == 0) continue;
    // Raising the hard limit needs CAP_SYS_RESOURCE on the host: take what there is.
    if (want.rlim_max > now.rlim_max) want.rlim_max = now.rlim_max;
    if (want.rlim_cur > want.rlim_max) want.rlim_cur = want.rlim_max;
    (void)setrlimit(resource, &want);
  }
}

bool write_oom_score(const Process& p, StepError* e) {
  if (!p.has_oom_score) return true;
  Text<16> score;
  score << p.oom_score;
  UniqueFd fd(open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
  if (fd && write_all(fd.get(), score.c_str(), score.size())) return true;
  return fail(e, Step::kOomScore, score.c_str());
}

bool drop_privileges(const Process& p, StepError* e) {
  if (!set_groups(p, e) || !limit_bounding_set(p.caps.bounding, e) || !change_user(p, e)) return false;
  if (!p.no_new_privs && !install_seccomp(p, e)) return false;
  if (!set_capabilities(p.caps.effective, p.caps.permitted, p.caps.inheritable, e)) return false;
  if (!raise_ambient(p.caps.ambient, e)) return false;
  if (!p.no_new_privs) return true;
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return fail(e, Step::kNoNewPrivileges, "");
  return install_seccomp(p, e);
}
