#include "cgroup_program.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/retry.h"
#include "common/unique_fd.h"
#include "signals.h"

extern char** environ;

namespace {

constexpr uint32_t kMaxArgs = 64;

[[noreturn]] void execute(const StringList& list, const char* pid, int output) {
  reset_signals();
  const char* argv[kMaxArgs + 1] = {};
  for (uint32_t i = 0; i < list.count && i < kMaxArgs; i++)
    argv[i] = strcmp(list.items[i], "{pid}") == 0 ? pid : list.items[i];
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  dup2(null, STDIN_FILENO);
  dup2(null, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  execve(argv[0], const_cast<char* const*>(argv), environ);
  const char* why = strerror(errno);
  (void)write_all(STDERR_FILENO, why, strlen(why));
  _exit(127);
}

}  // namespace

bool run_for_process(const StringList& argv, pid_t pid, StepError* e) {
  Text<16> text;
  text << pid;
  UniqueFd output(static_cast<int>(syscall(SYS_memfd_create, "systemd", MFD_CLOEXEC)));
  pid_t child = output ? fork() : -1;
  if (child == 0) execute(argv, text.c_str(), output.get());
  if (child < 0) return fail(e, Step::kCgroup, argv.items[0]);
  int status;
  retry([&] { return waitpid(child, &status, 0); });
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return true;
  char words[512];
  ssize_t n = pread(output.get(), words, sizeof words - 1, 0);
  words[n < 0 ? 0 : n] = '\0';
  words[strcspn(words, "\n")] = '\0';
  errno = ECHILD;
  return fail_because(e, Step::kCgroup, argv.items[0], words[0] == '\0' ? "it failed" : words);
}
