// The helper executable, which is part of this addon, and processes by descriptor.
//
// The helper has no path on disk: it runs from a sealed memfd, so no container can overwrite it through
// /proc/PID/exe (CVE-2019-5736) and nothing has to be installed.

#include <linux/close_range.h>
#include <linux/memfd.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>

#include <string>
#include <vector>

#include "args.h"
#include "common/told_signal.h"
#include "common/unique_fd.h"
#include "groups.h"
#include "syscalls.h"

extern "C" {
// helper-image.S, made by embed-helper.sh.
extern const unsigned char skiff_helper_image[];
extern const unsigned char skiff_helper_image_end[];
}

namespace skiff {

namespace {

constexpr unsigned kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

// A close-on-exec memfd that holds `size` bytes, positioned at 0 and sealed. Empty on error, with errno set.
UniqueFd SealedMemfd(const char* name, const uint8_t* data, size_t size, bool executable) {
  const unsigned base = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  // Since Linux 6.3 (vm.memfd_noexec) executability must be asked for; before, the flag is refused.
  UniqueFd fd(SysMemfdCreate(name, executable ? base | MFD_EXEC : base));
  if (!fd && errno == EINVAL && executable) fd.reset(SysMemfdCreate(name, base));
  if (!fd) return fd;
  const bool made = write_all(fd.get(), data, size) && lseek(fd.get(), 0, SEEK_SET) == 0 &&
                    fcntl(fd.get(), F_ADD_SEALS, kSeals) == 0;
  if (!made) {
    const int err = errno;
    fd.reset();
    errno = err;
  }
  return fd;
}

UniqueFd HelperImage() {
  const size_t size = static_cast<size_t>(skiff_helper_image_end - skiff_helper_image);
  return SealedMemfd("skiff-helper", skiff_helper_image, size, true);
}

// helperImage() → descriptor (close-on-exec) of the helper; the caller closes it.
Napi::Value OpenHelperImage(const Napi::CallbackInfo& info) {
  UniqueFd fd = HelperImage();
  if (!fd) return ThrowErrno(info.Env(), errno, "memfd_create");
  return Napi::Number::New(info.Env(), fd.release());
}

// sealedMemfd(bytes) → descriptor (close-on-exec); the caller closes it.
Napi::Value OpenSealedMemfd(const Napi::CallbackInfo& info) {
  Args args(info);
  const Bytes bytes = args.Data(0);
  if (!args.ok()) return args.Raise();
  UniqueFd fd = SealedMemfd("skiff-plan", bytes.data, bytes.size, false);
  if (!fd) return ThrowErrno(info.Env(), errno, "memfd_create");
  return Napi::Number::New(info.Env(), fd.release());
}

bool Inherit(int fd, bool inherit) {
  const int flags = fcntl(fd, F_GETFD);
  if (flags < 0) return false;
  return fcntl(fd, F_SETFD, inherit ? flags & ~FD_CLOEXEC : flags | FD_CLOEXEC) == 0;
}

// Marks every descriptor from 3 on close-on-exec. The runtime's own (epoll, eventfd, inspector …) mostly are already.
bool CloseOnExecFrom3() {
  if (SysCloseRange(3, ~0U, CLOSE_RANGE_CLOEXEC) == 0) return true;
  if (errno != ENOSYS && errno != EINVAL && errno != EPERM) return false;
  // Before Linux 5.11, or a seccomp filter of an outer container: one by one.
  const int64_t limit = sysconf(_SC_OPEN_MAX);
  for (int fd = 3; fd < limit && fd < 65536; fd++) Inherit(fd, false);
  return true;
}

bool ReadStrings(const Napi::Value& value, std::vector<std::string>* out) {
  if (!value.IsArray()) return false;
  const auto array = value.As<Napi::Array>();
  for (uint32_t i = 0; i < array.Length(); i++) {
    const Napi::Value item = array.Get(i);
    if (!item.IsTypedArray()) return false;
    const auto bytes = item.As<Napi::Uint8Array>();
    std::string text(reinterpret_cast<const char*>(bytes.Data()), bytes.ByteLength());
    if (text.find('\0') != std::string::npos) return false;
    out->push_back(std::move(text));
  }
  return true;
}

std::vector<char*> Pointers(std::vector<std::string>* strings) {
  std::vector<char*> out;
  for (std::string& text : *strings) out.push_back(&text[0]);
  out.push_back(nullptr);
  return out;
}

// launch(argv, env, plan, keepFds): this very process becomes the helper; returns only by throwing. The plan is a
// sealed memfd whose number is appended to argv. Descriptors 0..2 and keepFds stay open, no other. The runtime's
// threads end in execve(2); signal dispositions and the mask of this thread are the helper's to reset.
Napi::Value Launch(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::vector<std::string> argv;
  std::vector<std::string> environment;
  if (!ReadStrings(info[0], &argv) || argv.empty()) return ThrowType(env, "launch: argv must be byte arrays");
  if (!ReadStrings(info[1], &environment)) return ThrowType(env, "launch: env must be byte arrays");
  Args args(info);
  const Bytes plan = args.Data(2);
  if (!args.ok()) return args.Raise();
  if (!info[3].IsArray()) return ThrowType(env, "launch: keepFds must be an array");

  UniqueFd helper = HelperImage();
  if (!helper) return ThrowErrno(env, errno, "memfd_create");
  UniqueFd plan_fd = SealedMemfd("skiff-plan", plan.data, plan.size, false);
  if (!plan_fd) return ThrowErrno(env, errno, "memfd_create");
  if (!CloseOnExecFrom3()) return ThrowErrno(env, errno, "close_range");
  if (!Inherit(plan_fd.get(), true)) return ThrowErrno(env, errno, "fcntl");
  // Node marks these too (uv_disable_stdio_inheritance). One that is closed stays so.
  for (int fd = 0; fd <= 2; fd++) Inherit(fd, true);
  const auto keep = info[3].As<Napi::Array>();
  for (uint32_t i = 0; i < keep.Length(); i++) {
    const int fd = keep.Get(i).ToNumber().Int32Value();
    if (!Inherit(fd, true)) return ThrowErrno(env, errno, "fcntl", "descriptor " + std::to_string(fd));
  }

  argv.push_back(std::to_string(plan_fd.get()));
  std::vector<char*> argv_pointers = Pointers(&argv);
  std::vector<char*> env_pointers = Pointers(&environment);
  SysExecveat(helper.get(), "", argv_pointers.data(), env_pointers.data(), AT_EMPTY_PATH);
  return ThrowErrno(env, errno, "execveat", "skiff-helper");
}

// setCloseOnExec(fd, on): for descriptors that a process started by node:child_process must or must not get.
Napi::Value SetCloseOnExec(const Napi::CallbackInfo& info) {
  Args args(info);
  const int fd = args.Fd(0);
  const bool on = args.Bool(1);
  if (!args.ok()) return args.Raise();
  if (!Inherit(fd, !on)) return ThrowErrno(info.Env(), errno, "fcntl");
  return info.Env().Undefined();
}

// dieWithParent(pid) → false when `pid`, the process that started us, is gone already. From then on its end is ours,
// by SIGKILL. (What the helper sets is cleared by the change of ids when it enters a user namespace.)
Napi::Value DieWithParent(const Napi::CallbackInfo& info) {
  Args args(info);
  const int64_t pid = args.Int(0);
  if (!args.ok()) return args.Raise();
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) return ThrowErrno(info.Env(), errno, "prctl");
  return Napi::Boolean::New(info.Env(), getppid() == pid);
}

// pidfdOpen(pid) → descriptor, or undefined when there is no such process.
Napi::Value PidfdOpen(const Napi::CallbackInfo& info) {
  Args args(info);
  const int64_t pid = args.Int(0);
  if (!args.ok()) return args.Raise();
  const int fd = SysPidfdOpen(static_cast<pid_t>(pid), 0);
  if (fd >= 0) return Napi::Number::New(info.Env(), fd);
  if (errno == ESRCH) return info.Env().Undefined();
  return ThrowErrno(info.Env(), errno, "pidfd_open");
}

// pidfdSendSignal(pidfd, signal, told) → false when the process is gone. told: it carries kToldSignal.
Napi::Value PidfdSendSignal(const Napi::CallbackInfo& info) {
  Args args(info);
  const int fd = args.Fd(0);
  const int64_t signal = args.Int(1);
  const bool told = args.Bool(2);
  if (!args.ok()) return args.Raise();
  siginfo_t value = {};
  value.si_signo = static_cast<int>(signal);
  value.si_code = SI_QUEUE;
  value.si_pid = getpid();
  value.si_uid = getuid();
  value.si_value.sival_int = kToldSignal;
  if (SysPidfdSendSignal(fd, value.si_signo, told ? &value : nullptr) == 0)
    return Napi::Boolean::New(info.Env(), true);
  if (errno == ESRCH) return Napi::Boolean::New(info.Env(), false);
  return ThrowErrno(info.Env(), errno, "pidfd_send_signal");
}

// isHungUp(fd) → whether nobody is left at the other end of the pipe, socket or terminal.
Napi::Value IsHungUp(const Napi::CallbackInfo& info) {
  Args args(info);
  pollfd output = {args.Fd(0), 0, 0};
  if (!args.ok()) return args.Raise();
  const bool told = retry([&] { return poll(&output, 1, 0); }) == 1;
  return Napi::Boolean::New(info.Env(), told && (output.revents & (POLLERR | POLLHUP)) != 0);
}

}  // namespace

void InitProcess(Napi::Env env, Napi::Object exports) {
  exports.Set("helperImage", Napi::Function::New<OpenHelperImage>(env, "helperImage"));
  exports.Set("sealedMemfd", Napi::Function::New<OpenSealedMemfd>(env, "sealedMemfd"));
  exports.Set("launch", Napi::Function::New<Launch>(env, "launch"));
  exports.Set("setCloseOnExec", Napi::Function::New<SetCloseOnExec>(env, "setCloseOnExec"));
  exports.Set("dieWithParent", Napi::Function::New<DieWithParent>(env, "dieWithParent"));
  exports.Set("pidfdOpen", Napi::Function::New<PidfdOpen>(env, "pidfdOpen"));
  exports.Set("isHungUp", Napi::Function::New<IsHungUp>(env, "isHungUp"));
  exports.Set("pidfdSendSignal", Napi::Function::New<PidfdSendSignal>(env, "pidfdSendSignal"));
}

}  // namespace skiff
