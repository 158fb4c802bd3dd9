// It runs with the container's own rights, limits and seccomp filter, and holds no descriptor but stdio.

#include "tiny_init.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/retry.h"
#include "process_stat.h"
#include "sys.h"

namespace {

/** Reaps whatever ended; the exit status of `child` ends us. */
void reap(pid_t child) {
  int status;
  pid_t pid;
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
    if (pid != child) continue;
    _exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
  }
}

[[noreturn]] void serve(pid_t child) {
  sigset_t all;
  sigfillset(&all);
  for (;;) {
    int sig = sigwaitinfo(&all, nullptr);
    if (sig == SIGCHLD) {
      reap(child);
    } else if (sig > 0) {
      kill(child, sig);
    }
  }
}

}  // namespace

bool become_tiny_init(UniqueFd* sync, StepError* e) {
  sigset_t all, none;
  sigfillset(&all);
  sigemptyset(&none);
  // Blocked before the fork: no signal is lost between it and the first wait.
  sigprocmask(SIG_SETMASK, &all, nullptr);
  pid_t child = fork();
  if (child < 0) return fail(e, Step::kFork, "");
  if (child == 0) {
    // A process group of its own, in the foreground of the terminal if there is one, as a shell would do.
    setpgid(0, 0);
    if (isatty(STDIN_FILENO)) tcsetpgrp(STDIN_FILENO, getpgrp());
    sigprocmask(SIG_SETMASK, &none, nullptr);
    return true;
  }
  prctl(PR_SET_NAME, kTinyInitName, 0, 0, 0);
  sync->reset();
  sys::close_from(3, false);
  // Nothing of the host's is left here, and an `exec` must be able to look at our namespaces.
  prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
  serve(child);
}
