// The ids that a process of the container believes to have. The kernel knows one user there: what setuid(2) and its kin
// ask for is kept here instead, and follows a process's children as real ids do.
#pragma once

#include "emulated_call.h"
#include "plan.h"

constexpr size_t kEmulatedGroupsMax = 64;

struct IdSet {
  uint32_t real = 0, effective = 0, saved = 0, files = 0;
};

struct EmulatedIds {
  IdSet uid, gid;
  /** PR_SET_KEEPCAPS: on giving up user 0 it may go on to change ids, until whenever. */
  bool keeps_rights = false, has_rights = false;
  uint32_t group_count = 0;
  gid_t groups[kEmulatedGroupsMax] = {};

  /** CAP_SETUID, CAP_SETGID and CAP_CHOWN. */
  bool is_privileged() const { return uid.effective == 0 || has_rights; }
  bool is_in_group(gid_t gid) const;
};

/** Those of the container's first process, and of each that has never asked for others. */
void begin_ids(const Process& p);
const EmulatedIds& ids_of(const Call& call);

Answer do_getuid(const Call& call);
Answer do_geteuid(const Call& call);
Answer do_getgid(const Call& call);
Answer do_getegid(const Call& call);
Answer do_getresuid(const Call& call);
Answer do_getresgid(const Call& call);
Answer do_getgroups(const Call& call);
Answer do_setuid(const Call& call);
Answer do_setgid(const Call& call);
Answer do_setreuid(const Call& call);
Answer do_setregid(const Call& call);
Answer do_setresuid(const Call& call);
Answer do_setresgid(const Call& call);
Answer do_setfsuid(const Call& call);
Answer do_setfsgid(const Call& call);
Answer do_setgroups(const Call& call);
Answer do_keep_capabilities(const Call& call);

// RLIMIT_LOCKS is where the kernel keeps our knowledge of a process: nobody there may see or set it, as pam_limits would.
Answer do_getrlimit_locks(const Call& call);
Answer do_setrlimit_locks(const Call& call);
Answer do_prlimit_locks(const Call& call);
