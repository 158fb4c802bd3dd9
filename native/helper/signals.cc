// See signals.h.

#include "signals.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>

#include "small_file.h"
#include "sys.h"
#include "text.h"

namespace {

/** Set by a fault of our own: these must end us as ever. */
bool is_fault(int sig) {
  return sig == SIGSEGV || sig == SIGBUS || sig == SIGFPE || sig == SIGILL || sig == SIGTRAP || sig == SIGSYS;
}

/** The runtime ignores these two, whatever the caller did. */
bool ignored_by_runtime(int sig) { return sig == SIGPIPE || sig == SIGXFSZ; }

void send(pid_t pid, int pidfd, int sig) {
  if (pidfd >= 0 && (sys::pidfd_send_signal(pidfd, sig) == 0 || errno != ENOSYS)) return;
  // Not reaped yet, so the pid is still its own.
  kill(pid, sig);
}

/** The hexadecimal mask behind `key` of /proc/PID/status. */
uint64_t mask_of(const char* status, const char* key) {
  const char* line = strstr(status, key);
  return line == nullptr ? 0 : strtoull(line + strlen(key), nullptr, 16);
}

/** Contents of /proc/PID/task/TID/NAME; false when it cannot be read. */
template <size_t N>
bool read_task_file(const char* task, const char* name, char (&text)[N]) {
  Text<96> path;
  path << task << '/' << name;
  return read_small(text, path.c_str()) > 0;
}

enum class Answer { kNo, kYes, kUnknown };

/** The file `syscall` is its owner's alone, and a container's user has another id than we; this one is not. */
Answer sleeps_in_sigwait_by_name(const char* task) {
  // "0" is for a thread that runs, or whose kernel does not tell. It may have fallen asleep between two looks.
  for (int tries = 0; tries < 8; tries++) {
    char status[512], where[64];
    if (!read_task_file(task, "status", status)) return Answer::kUnknown;
    if (strstr(status, "\nState:\tR") != nullptr) return Answer::kNo;
    if (!read_task_file(task, "wchan", where)) return Answer::kUnknown;
    if (strcmp(where, "0") != 0) return strstr(where, "sigtimedwait") != nullptr ? Answer::kYes : Answer::kNo;
  }
  return Answer::kUnknown;
}

/**
 * sigwait(3) and its kin unblock what they wait for, so the masks of a thread that sleeps there (tini's, say) look as if
 * it had no interest. What it sleeps in tells.
 */
Answer sleeps_in_sigwait(const char* task) {
  char text[256];
  if (!read_task_file(task, "syscall", text)) return sleeps_in_sigwait_by_name(task);
  if (text[0] < '0' || text[0] > '9') return Answer::kNo;  // "running"
  if (strtol(text, nullptr, 10) == SYS_rt_sigtimedwait) return Answer::kYes;
  // The number differs for 32-bit programs.
  return read_task_file(task, "wchan", text) && strstr(text, "sigtimedwait") != nullptr ? Answer::kYes
                                                                                        : Answer::kNo;
}

/** Whether one thread would take notice of `sig`: it is caught, ignored on purpose, blocked, or waited for. */
Answer thread_has_a_say(const char* task, int sig) {
  char status[4096];
  if (!read_task_file(task, "status", status)) return Answer::kUnknown;
  uint64_t bit = 1ull << (sig - 1);
  if (((mask_of(status, "\nSigIgn:") | mask_of(status, "\nSigCgt:")) & bit) != 0) return Answer::kYes;
  // Every fork(3) blocks all signals for a moment, and would lose this one when it unblocks it. Who sleeps does not fork.
  if ((mask_of(status, "\nSigBlk:") & bit) != 0)
    return strstr(status, "\nState:\tS") != nullptr ? Answer::kYes : Answer::kUnknown;
  return sleeps_in_sigwait(task);
}

/** Of all threads of the process. */
Answer process_has_a_say(pid_t pid, int sig) {
  Text<32> path;
  path << "/proc/" << pid << "/task";
  DIR* tasks = opendir(path.c_str());
  if (tasks == nullptr) return Answer::kUnknown;
  Answer found = Answer::kNo;
  while (dirent* entry = found == Answer::kYes ? nullptr : readdir(tasks)) {
    if (entry->d_name[0] == '.') continue;
    Text<64> task;
    task << path.c_str() << '/' << entry->d_name;
    Answer answer = thread_has_a_say(task.c_str(), sig);
    if (answer != Answer::kNo) found = answer;
  }
  closedir(tasks);
  return found;
}

/** False only when it is certain that the process takes no notice of `sig`. */
bool has_a_say(pid_t pid, int sig) {
  constexpr int kLooks = 50;
  for (int look = 0; look < kLooks; look++) {
    Answer answer = process_has_a_say(pid, sig);
    if (answer != Answer::kUnknown) return answer == Answer::kYes;
    timespec pause = {0, 1000000};
    nanosleep(&pause, nullptr);
  }
  return true;
}

bool ends_by_default(int sig) {
  switch (sig) {
    case SIGCHLD:
    case SIGURG:
    case SIGWINCH:
    case SIGCONT:
    case SIGTSTP:
    case SIGTTIN:
    case SIGTTOU:
    case SIGSTOP:
      return false;
    default:
      return true;
  }
}

}  // namespace

void reset_signals() {
  struct sigaction action = {};
  action.sa_handler = SIG_DFL;
  for (int sig = 1; sig < NSIG; sig++) {
    struct sigaction old;
    if (sigaction(sig, nullptr, &old) == 0 && old.sa_handler != SIG_DFL) sigaction(sig, &action, nullptr);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

UniqueFd take_over_signals(bool keep_ignored) {
  sigset_t handled;
  sigfillset(&handled);
  for (int sig = 1; sig < NSIG; sig++) {
    if (sig == SIGKILL || sig == SIGSTOP) continue;
    struct sigaction old;
    if (sigaction(sig, nullptr, &old) < 0) continue;  // one of the C library's own
    bool keep = keep_ignored && old.sa_handler == SIG_IGN && !ignored_by_runtime(sig) && sig != SIGCHLD;
    if (keep || is_fault(sig)) sigdelset(&handled, sig);
    if (keep || old.sa_handler == SIG_DFL) continue;
    struct sigaction action = {};
    action.sa_handler = SIG_DFL;
    sigaction(sig, &action, nullptr);
  }
  sigprocmask(SIG_SETMASK, &handled, nullptr);
  return UniqueFd(signalfd(-1, &handled, SFD_CLOEXEC | SFD_NONBLOCK));
}

bool forward_signal(pid_t pid, int pidfd, int sig, bool is_pid_one) {
  if (is_pid_one && ends_by_default(sig) && !has_a_say(pid, sig)) {
    kill_container(pid, pidfd);
    return true;
  }
  send(pid, pidfd, sig);
  return false;
}

void kill_container(pid_t pid, int pidfd) { send(pid, pidfd, SIGKILL); }
