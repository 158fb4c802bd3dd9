// The program must end with us even if we are killed. slirp4netns watches a pipe. For pasta there is PR_SET_PDEATHSIG,
// but the kernel clears it when a process gains rights, as pasta does on entering the container's user namespace. So we
// enter that for pasta and leave it nothing to gain (--netns-only). Having dropped its rights, pasta may then not look
// into /proc/PID/ns of init: it gets the network namespace as its standard input, which it never reads nor closes.

#include "network.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "common/retry.h"
#include "forever.h"
#include "idmap.h"
#include "signals.h"

extern char** environ;

namespace {

// Descriptors of the program beyond stdio.
constexpr int kReadyFd = 3, kExitFd = 4, kUserNsFd = 5, kNetNsFd = 6;

struct Placeholder {
  const char* name;
  const char* value;
};

/** Replaces every {name} in `arg`; null when memory runs out or the result is absurdly long. */
char* substitute(const char* arg, const Placeholder (&all)[3]) {
  Text<4096> out;
  while (*arg != '\0') {
    const Placeholder* hit = nullptr;
    for (const Placeholder& p : all) {
      if (strncmp(arg, p.name, strlen(p.name)) == 0) hit = &p;
    }
    if (hit != nullptr) {
      out << hit->value;
      arg += strlen(hit->name);
    } else {
      out << *arg++;
    }
  }
  return out.cut() ? nullptr : strdup(out.c_str());
}

char** make_argv(const NetworkHelper& helper) {
  bool pasta = helper.kind == NetHelper::kPasta;
  const Placeholder placeholders[] = {
      {"{netns}", pasta ? "/proc/self/fd/0" : "/proc/self/fd/6"},
      {"{userns}", "/proc/self/fd/5"},
      {"{ready-fd}", pasta ? "1" : "3"},
  };
  // Zeroed, so the list ends with a null; the others are the program and what is added here.
  char** argv = allocate_forever<char*>(helper.args.count + 5);
  if (argv == nullptr) return nullptr;
  uint32_t n = 0;
  argv[n++] = const_cast<char*>(helper.program);
  if (helper.kind == NetHelper::kSlirp) argv[n++] = const_cast<char*>("--exit-fd=4");
  for (const char* arg : helper.args) {
    argv[n] = substitute(arg, placeholders);
    if (argv[n++] == nullptr) return nullptr;
  }
  return argv;
}

struct Child {
  const Plan& plan;
  int userns, netns, output, ready, exit_fd;
};

/** Standard input becomes the network namespace, and we root of the user namespace. */
bool enter_for_pasta(const Child& c, StepError* e) {
  if (dup2(c.netns, STDIN_FILENO) < 0) return fail(e, Step::kJoin, "net");
  if (c.userns < 0) return true;
  // Others may be in there already, when it was joined.
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || setns(c.userns, CLONE_NEWUSER) < 0)
    return fail(e, Step::kJoin, "user");
  return become_namespace_root(c.plan.ns, false, e);
}

/** Moves descriptors to the numbers that the arguments name; the numbers may be in use by each other. */
void place_descriptors(const Child& c) {
  int ready = fcntl(c.ready, F_DUPFD_CLOEXEC, 16);
  int exit_fd = fcntl(c.exit_fd, F_DUPFD_CLOEXEC, 16);
  int output = fcntl(c.output, F_DUPFD_CLOEXEC, 16);
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  int userns = c.userns < 0 ? -1 : fcntl(c.userns, F_DUPFD_CLOEXEC, 16);
  int netns = fcntl(c.netns, F_DUPFD_CLOEXEC, 16);
  if (c.plan.network.kind == NetHelper::kPasta) {
    // Here pasta writes its pid when it is ready; init has noticed long before (route_watch.h).
    dup2(null, STDOUT_FILENO);
  } else {
    dup2(null, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    dup2(ready, kReadyFd);
    dup2(exit_fd, kExitFd);
    if (userns >= 0) dup2(userns, kUserNsFd);
    dup2(netns, kNetNsFd);
  }
  dup2(output, STDERR_FILENO);
}

/** In the child. The message of a failure goes where the program's own would. */
[[noreturn]] void run_program(const Child& c, pid_t parent) {
  reset_signals();
  StepError e;
  // Here and not before the fork: a container that is started again and again would not give the memory back.
  char** argv = make_argv(c.plan.network);
  if (argv == nullptr) _exit(127);
  bool ok = c.plan.network.kind != NetHelper::kPasta || enter_for_pasta(c, &e);
  place_descriptors(c);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
  if (ok) {
    execve(c.plan.network.program, argv, environ);
    fail(&e, Step::kExec, c.plan.network.program);
  }
  print_error(e);
  _exit(127);
}

/** One connection a request; false with errno, or with 0 in it when `answer` holds a refusal. */
bool request(const char* path, const char* text, TextView* answer) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (strlen(path) >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return false;
  }
  memcpy(address.sun_path, path, strlen(path) + 1);
  UniqueFd sock(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  timeval patience = {5, 0};
  if (!sock || setsockopt(sock.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) < 0 ||
      connect(sock.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) < 0 ||
      !write_all(sock.get(), text, strlen(text)) || shutdown(sock.get(), SHUT_WR) < 0) {
    return false;
  }
  char reply[1024];
  ssize_t n = read_upto(sock.get(), reply, sizeof reply - 1);
  if (n < 0) return false;
  reply[n] = '\0';
  *answer << reply;
  errno = 0;
  return strstr(reply, "\"error\"") == nullptr;
}

}  // namespace

bool Network::start(const Plan& plan, const UniqueFd& userns, const UniqueFd& netns, StepError* e) {
  const NetworkHelper& helper = plan.network;
  if (helper.kind == NetHelper::kNone) return true;
  program_ = helper.program;
  socket_ = helper.api_socket;
  int ready[2], exit_pipe[2];
  output_.reset(static_cast<int>(syscall(SYS_memfd_create, "network-helper", MFD_CLOEXEC)));
  if (!output_ || pipe2(ready, O_CLOEXEC) < 0) return fail(e, Step::kNetwork, program_);
  UniqueFd ready_end(ready[1]);
  ready_.reset(ready[0]);
  if (pipe2(exit_pipe, O_CLOEXEC) < 0) return fail(e, Step::kNetwork, program_);
  UniqueFd exit_end(exit_pipe[0]);
  exit_pipe_.reset(exit_pipe[1]);
  Child child = {plan, userns.get(), netns.get(), output_.get(), ready_end.get(), exit_end.get()};
  pid_t self = getpid();
  pid_ = fork();
  if (pid_ < 0) return fail(e, Step::kNetwork, program_);
  if (pid_ == 0) run_program(child, self);
  // pasta takes no requests, so there is nothing to wait for.
  if (helper.kind == NetHelper::kPasta) ready_.reset();
  return true;
}

bool Network::on_ready(const NetworkHelper& helper, StepError* e) {
  char byte;
  ssize_t n = read(ready_.get(), &byte, 1);
  ready_.reset();
  // End of file: it is about to end, which says more.
  if (n <= 0) return true;
  for (const char* text : helper.api_requests) {
    Text<1100> answer;
    if (request(helper.api_socket, text, &answer)) continue;
    if (errno != 0) return fail(e, Step::kNetwork, helper.api_socket);
    errno = EINVAL;
    return fail_because(e, Step::kPublish, text, answer.c_str());
  }
  return true;
}

bool Network::on_child_end(pid_t pid, int status) {
  if (pid != pid_) return false;
  pid_ = -1;
  status_ = status;
  return true;
}

void Network::quote_output(TextView* out) const {
  char words[768];
  ssize_t n = pread(output_.get(), words, sizeof words, 0);
  size_t len = n > 0 ? static_cast<size_t>(n) : 0;
  while (len > 0 && words[len - 1] == '\n') len--;
  for (size_t i = 0; i < len; i++) *out << (words[i] == '\n' ? ' ' : words[i]);
}

void Network::describe_end(StepError* e) const {
  Text<768> words;
  quote_output(&words);
  Text<64> how;
  if (WIFSIGNALED(status_)) {
    how << "killed by signal " << WTERMSIG(status_);
  } else {
    how << "exit status " << WEXITSTATUS(status_);
  }
  errno = ECHILD;
  fail_because(e, Step::kNetwork, program_, words.size() > 0 ? words.c_str() : how.c_str());
}

void Network::stop() {
  if (socket_[0] != '\0') unlink(socket_);
  if (pid_ <= 0) return;
  // It has nothing to tidy up. Waited for, so that its ports are free when we are gone.
  kill(pid_, SIGKILL);
  int status;
  retry([&] { return waitpid(pid_, &status, 0); });
  pid_ = -1;
}
