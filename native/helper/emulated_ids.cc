// The rules are those of the kernel (credentials(7)), where CAP_SETUID and CAP_SETGID are the effective user 0's.
//
// Which ids a process has must be known when its parent is long gone. The kernel itself remembers it for us: the soft
// limit RLIMIT_LOCKS, which means nothing since Linux 2.4, is inherited by fork(2) and kept by execve(2), belongs to all
// threads, and can be set from outside. It holds an index into a table of the ids that were ever asked for.

#include "emulated_ids.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

namespace {

constexpr uint32_t kSame = ~0u;
constexpr size_t kTableMax = 2048;

EmulatedIds table[kTableMax];
size_t table_size = 0;

bool is_same(const IdSet& a, const IdSet& b) { return memcmp(&a, &b, sizeof a) == 0; }

bool is_same(const EmulatedIds& a, const EmulatedIds& b) {
  return a.keeps_rights == b.keeps_rights && a.has_rights == b.has_rights && is_same(a.uid, b.uid) &&
         is_same(a.gid, b.gid) && a.group_count == b.group_count &&
         memcmp(a.groups, b.groups, a.group_count * sizeof a.groups[0]) == 0;
}

bool is_one_of(const IdSet& s, uint32_t id) { return id == s.real || id == s.effective || id == s.saved; }

/** kTableMax when there is no more room. */
size_t index_of(const EmulatedIds& ids) {
  for (size_t i = 0; i < table_size; i++) {
    if (is_same(table[i], ids)) return i;
  }
  if (table_size < kTableMax) table[table_size++] = ids;
  return table_size - (table_size < kTableMax ? 1 : 0);
}

Answer change_ids(const Call& call, EmulatedIds ids) {
  const IdSet& old = ids_of(call).uid;
  if (is_one_of(old, 0) && !is_one_of(ids.uid, 0)) ids.has_rights = ids.keeps_rights;
  size_t index = index_of(ids);
  rlimit limit;
  if (index == kTableMax || !is_waiting(call) || prlimit(call.pid, RLIMIT_LOCKS, nullptr, &limit) < 0)
    return refuse(EAGAIN);
  limit.rlim_cur = index;
  return prlimit(call.pid, RLIMIT_LOCKS, &limit, nullptr) == 0 ? answer(0) : refuse(EAGAIN);
}

using Member = IdSet EmulatedIds::*;

Answer set_one(const Call& call, Member kind) {
  EmulatedIds ids = ids_of(call);
  IdSet& s = ids.*kind;
  uint32_t id = call.word(0);
  if (id == kSame) return refuse(EINVAL);
  if (ids.is_privileged()) {
    s.real = s.saved = id;
  } else if (id != s.real && id != s.saved) {
    return refuse(EPERM);
  }
  s.effective = s.files = id;
  return change_ids(call, ids);
}

Answer set_two(const Call& call, Member kind) {
  EmulatedIds ids = ids_of(call);
  IdSet& s = ids.*kind;
  IdSet old = s;
  uint32_t real = call.word(0), effective = call.word(1);
  bool may_all = ids.is_privileged();
  if (real != kSame) {
    if (!may_all && real != old.real && real != old.effective) return refuse(EPERM);
    s.real = real;
  }
  if (effective != kSame) {
    if (!may_all && !is_one_of(old, effective)) return refuse(EPERM);
    s.effective = effective;
  }
  if (real != kSame || (effective != kSame && effective != old.real)) s.saved = s.effective;
  s.files = s.effective;
  return change_ids(call, ids);
}

Answer set_three(const Call& call, Member kind) {
  EmulatedIds ids = ids_of(call);
  IdSet& s = ids.*kind;
  IdSet old = s;
  uint32_t* const fields[] = {&s.real, &s.effective, &s.saved};
  for (size_t i = 0; i < 3; i++) {
    uint32_t id = call.word(i);
    if (id == kSame) continue;
    if (!ids_of(call).is_privileged() && !is_one_of(old, id)) return refuse(EPERM);
    *fields[i] = id;
  }
  s.files = s.effective;
  return change_ids(call, ids);
}

/** Says what it was before, whether it is changed or not. */
Answer set_files(const Call& call, Member kind) {
  EmulatedIds ids = ids_of(call);
  IdSet& s = ids.*kind;
  uint32_t old = s.files, id = call.word(0);
  if (id == kSame || !(ids.is_privileged() || id == old || is_one_of(s, id))) return answer(old);
  s.files = id;
  change_ids(call, ids);
  return answer(old);
}

Answer get_three(const Call& call, const IdSet& s) {
  const uint32_t* const fields[] = {&s.real, &s.effective, &s.saved};
  for (size_t i = 0; i < 3; i++) {
    if (!write_memory(call, call.args[i], fields[i], sizeof(uint32_t))) return refuse(EFAULT);
  }
  return answer(0);
}

}  // namespace

bool EmulatedIds::is_in_group(gid_t id) const {
  if (id == gid.files) return true;
  for (uint32_t i = 0; i < group_count; i++) {
    if (groups[i] == id) return true;
  }
  return false;
}

void begin_ids(const Process& p) {
  table[0] = {};
  table[0].uid = {p.uid, p.uid, p.uid, p.uid};
  table[0].gid = {p.gid, p.gid, p.gid, p.gid};
  for (gid_t gid : p.groups) {
    if (table[0].group_count < kEmulatedGroupsMax) table[0].groups[table[0].group_count++] = gid;
  }
  table_size = 1;
}

const EmulatedIds& ids_of(const Call& call) {
  rlimit limit;
  if (prlimit(call.pid, RLIMIT_LOCKS, nullptr, &limit) < 0 || limit.rlim_cur >= table_size) return table[0];
  return table[limit.rlim_cur];
}

Answer do_getuid(const Call& call) { return answer(ids_of(call).uid.real); }
Answer do_geteuid(const Call& call) { return answer(ids_of(call).uid.effective); }
Answer do_getgid(const Call& call) { return answer(ids_of(call).gid.real); }
Answer do_getegid(const Call& call) { return answer(ids_of(call).gid.effective); }
Answer do_getresuid(const Call& call) { return get_three(call, ids_of(call).uid); }
Answer do_getresgid(const Call& call) { return get_three(call, ids_of(call).gid); }
Answer do_setuid(const Call& call) { return set_one(call, &EmulatedIds::uid); }
Answer do_setgid(const Call& call) { return set_one(call, &EmulatedIds::gid); }
Answer do_setreuid(const Call& call) { return set_two(call, &EmulatedIds::uid); }
Answer do_setregid(const Call& call) { return set_two(call, &EmulatedIds::gid); }
Answer do_setresuid(const Call& call) { return set_three(call, &EmulatedIds::uid); }
Answer do_setresgid(const Call& call) { return set_three(call, &EmulatedIds::gid); }
Answer do_setfsuid(const Call& call) { return set_files(call, &EmulatedIds::uid); }
Answer do_setfsgid(const Call& call) { return set_files(call, &EmulatedIds::gid); }

Answer do_getgroups(const Call& call) {
  const EmulatedIds& ids = ids_of(call);
  int room = call.fd(0);
  if (room < 0 || (room > 0 && static_cast<uint32_t>(room) < ids.group_count)) return refuse(EINVAL);
  size_t size = ids.group_count * sizeof ids.groups[0];
  if (room > 0 && size > 0 && !write_memory(call, call.args[1], ids.groups, size)) return refuse(EFAULT);
  return answer(ids.group_count);
}

Answer do_setgroups(const Call& call) {
  EmulatedIds ids = ids_of(call);
  uint32_t count = call.word(0);
  if (!ids.is_privileged()) return refuse(EPERM);
  if (count > kEmulatedGroupsMax) return refuse(EINVAL);
  if (count > 0 && !read_memory(call, call.args[1], ids.groups, count * sizeof ids.groups[0]))
    return refuse(EFAULT);
  ids.group_count = count;
  return change_ids(call, ids);
}

Answer do_keep_capabilities(const Call& call) {
  EmulatedIds ids = ids_of(call);
  ids.keeps_rights = call.args[1] == 1;
  change_ids(call, ids);
  return kForward;
}

Answer do_getrlimit_locks(const Call& call) {
  constexpr uint64_t kUnlimited[2] = {~0ull, ~0ull};
  return write_memory(call, call.args[1], kUnlimited, sizeof kUnlimited) ? answer(0) : refuse(EFAULT);
}

Answer do_setrlimit_locks(const Call&) { return answer(0); }

Answer do_prlimit_locks(const Call& call) {
  constexpr uint64_t kUnlimited[2] = {~0ull, ~0ull};
  bool asked = call.args[3] != 0;
  return !asked || write_memory(call, call.args[3], kUnlimited, sizeof kUnlimited) ? answer(0)
                                                                                   : refuse(EFAULT);
}
