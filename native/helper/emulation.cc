// See emulation.h. One table says which calls are passed on and who answers them.

#include "emulation.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/retry.h"
#include "emulated_call.h"
#include "emulated_files.h"
#include "emulated_ids.h"
#include "error.h"
#include "sync.h"
#include "sys.h"

#if defined(__x86_64__)
#define OUR_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OUR_ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv)
#define OUR_ARCH AUDIT_ARCH_RISCV64
#elif defined(__s390x__)
#define OUR_ARCH AUDIT_ARCH_S390X
#elif defined(__powerpc64__)
#define OUR_ARCH AUDIT_ARCH_PPC64LE
#endif

// Linux 5.19 and 6.6.
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#endif

namespace {

enum class Test { kNone, kEquals, kBits };

struct Row {
  int number;
  Answer (*handler)(const Call&);
  /** Only where an argument, of which the lower half counts, has this value or one of these bits. */
  Test test = Test::kNone;
  uint32_t argument = 0, operand = 0;
};

constexpr Row kRows[] = {
#ifdef SYS_chown
    {SYS_chown, do_chown},
    {SYS_lchown, do_lchown},
#endif
    {SYS_fchown, do_fchown},
    {SYS_fchownat, do_fchownat},
#ifdef SYS_stat
    {SYS_stat, do_stat},
    {SYS_lstat, do_lstat},
#endif
    {SYS_fstat, do_fstat},
    {SYS_newfstatat, do_newfstatat},
    {SYS_statx, do_statx},
#ifdef SYS_open
    {SYS_open, do_open, Test::kBits, 1, O_CREAT},
    {SYS_creat, do_creat},
    {SYS_mkdir, do_mkdir},
#endif
    {SYS_openat, do_openat, Test::kBits, 2, O_CREAT},
    {SYS_mkdirat, do_mkdirat},
    {SYS_getuid, do_getuid},
    {SYS_geteuid, do_geteuid},
    {SYS_getgid, do_getgid},
    {SYS_getegid, do_getegid},
    {SYS_getresuid, do_getresuid},
    {SYS_getresgid, do_getresgid},
    {SYS_getgroups, do_getgroups},
    {SYS_setuid, do_setuid},
    {SYS_setgid, do_setgid},
    {SYS_setreuid, do_setreuid},
    {SYS_setregid, do_setregid},
    {SYS_setresuid, do_setresuid},
    {SYS_setresgid, do_setresgid},
    {SYS_setfsuid, do_setfsuid},
    {SYS_setfsgid, do_setfsgid},
    {SYS_setgroups, do_setgroups},
    {SYS_prctl, do_keep_capabilities, Test::kEquals, 0, PR_SET_KEEPCAPS},
#ifdef SYS_getrlimit
    {SYS_getrlimit, do_getrlimit_locks, Test::kEquals, 0, RLIMIT_LOCKS},
    {SYS_setrlimit, do_setrlimit_locks, Test::kEquals, 0, RLIMIT_LOCKS},
#endif
    {SYS_prlimit64, do_prlimit_locks, Test::kEquals, 1, RLIMIT_LOCKS},
};

constexpr size_t kRowCount = sizeof kRows / sizeof kRows[0];

constexpr sock_filter statement(int code, uint32_t k) { return {static_cast<uint16_t>(code), 0, 0, k}; }
constexpr sock_filter jump(int code, uint32_t k, size_t yes, size_t no) {
  return {static_cast<uint16_t>(code), static_cast<uint8_t>(yes), static_cast<uint8_t>(no), k};
}

/** Programs of another architecture have other numbers: theirs are not passed on. */
class Filter {
 public:
  Filter() {
    add(statement(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)));
    add(jump(BPF_JMP | BPF_JEQ | BPF_K, OUR_ARCH, 1, 0));
    add(statement(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    add(statement(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)));
    for (const Row& row : kRows) {
      bool asks = row.test != Test::kNone;
      add(jump(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(row.number), 0, asks ? 4 : 1));
      if (asks) {
        add(statement(BPF_LD | BPF_W | BPF_ABS, low_half(row.argument)));
        add(jump(BPF_JMP | (row.test == Test::kBits ? BPF_JSET : BPF_JEQ) | BPF_K, row.operand, 1, 0));
        add(statement(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
      }
      add(statement(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF));
    }
    add(statement(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  }
  sock_fprog program() { return {static_cast<uint16_t>(size_), code_}; }

 private:
  void add(sock_filter one) { code_[size_++] = one; }
  static uint32_t low_half(uint32_t argument) {
    uint32_t at = static_cast<uint32_t>(offsetof(seccomp_data, args)) + 8 * argument;
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? at : at + 4;
  }

  sock_filter code_[8 + 5 * kRowCount];
  size_t size_ = 0;
};

int listen_for_calls() {
  Filter filter;
  sock_fprog program = filter.program();
  // A call that was half done must not be begun anew because a signal came.
  constexpr unsigned long kWays[] = {SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_SPEC_ALLOW |
                                         SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
                                     SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_SPEC_ALLOW};
  for (unsigned long flags : kWays) {
    long fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
    if (fd >= 0 || errno != EINVAL) return static_cast<int>(fd);
  }
  return -1;
}

void go_without(Process* p, int sync) {
  Text<256> words;
  words << "no root emulation ("
        << (errno == EBUSY ? "a sandbox around this container has one" : strerror(errno))
        << "): root is the only user of the container, and owns every file";
  p->emulate_ids = false;
  p->groups.count = 0;  // none but the own can be set
  send_sync(sync, SyncType::kNote, Step::kSeccomp, 0, words.c_str());
}

/** As root of the container, which its processes cannot see. */
bool enter(int userns, int mounts) {
  UniqueFd proc(open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC));
  return proc && setns(userns, CLONE_NEWUSER) == 0 && setns(mounts, CLONE_NEWNS) == 0 &&
         fchdir(proc.get()) == 0;
}

Answer answer_to(const Call& call, int number) {
  for (const Row& row : kRows) {
    if (row.number == number) return row.handler(call);
  }
  return kForward;
}

/** Room for what later kernels add to the structures. */
template <typename T>
union Padded {
  T value;
  char room[512];
};

[[noreturn]] void answer_calls(int listener) {
  ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, 1UL);  // wake up on the processor of who waits
  for (;;) {
    Padded<seccomp_notif> got;
    memset(&got, 0, sizeof got);
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &got) < 0) {
      // ENOENT: it was killed meanwhile.
      if (errno == EINTR || errno == ENOENT) continue;
      _exit(0);
    }
    Call call = {listener, got.value.id, static_cast<pid_t>(got.value.pid),
                 reinterpret_cast<const uint64_t*>(got.value.data.args)};
    Answer result = answer_to(call, got.value.data.nr);
    Padded<seccomp_notif_resp> reply;
    memset(&reply, 0, sizeof reply);
    reply.value.id = got.value.id;
    reply.value.val = result.value;
    reply.value.error = -result.err;
    reply.value.flags = result.forward ? SECCOMP_USER_NOTIF_FLAG_CONTINUE : 0;
    ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &reply);
  }
}

}  // namespace

bool begin_emulation(Process* p, int sync, StepError* e) {
  UniqueFd mounts(open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
  if (!mounts || !send_sync(sync, SyncType::kMounts, Step::kSeccomp, 0, "", mounts.get()))
    return fail(e, Step::kSeccomp, "/proc/self/ns/mnt");
  UniqueFd listener(listen_for_calls());
  if (!listener) return go_without(p, sync), true;
  return send_sync(sync, SyncType::kListener, Step::kSeccomp, 0, "", listener.get()) ||
         fail(e, Step::kSeccomp, "");
}

bool Emulation::start(const Process& p, const UniqueFd& userns, UniqueFd listener, StepError* e) {
  pid_t self = getpid();
  pid_ = fork();
  if (pid_ < 0) return fail(e, Step::kSeccomp, "");
  if (pid_ > 0) return mounts_.reset(), true;
  // Signals stay blocked: those of the terminal are not for us, and the helper ends us.
  begin_ids(p);
  umask(0);
  if (!enter(userns.get(), mounts_.get()) || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != self)
    _exit(1);
  sys::close_all_but(listener.get(), listener.get());
  answer_calls(listener.get());
}

bool Emulation::on_child_end(pid_t pid) {
  if (pid != pid_) return false;
  pid_ = -1;
  return true;
}

void Emulation::stop() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  int status;
  retry([&] { return waitpid(pid_, &status, 0); });
  pid_ = -1;
}
