// See own_stdio.h.

#include "own_stdio.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "text.h"

#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif

UniqueFd open_again(int fd, int mode, bool* plain, bool* chunked) {
  struct stat st;
  if (fstat(fd, &st) < 0) return UniqueFd();
  *plain = S_ISREG(st.st_mode) || S_ISBLK(st.st_mode) || S_ISDIR(st.st_mode);
  if (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode)) {
    UniqueFd own(open(FdPath(fd).c_str(), mode | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (own) return own;
  }
  // Sockets cannot be opened again, and pipes of other users neither.
  *chunked = !*plain;
  return UniqueFd(fcntl(fd, F_DUPFD_CLOEXEC, 3));
}

bool make_pipe(UniqueFd* ours, UniqueFd* theirs, bool we_read) {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) < 0) return false;
  ours->reset(fds[we_read ? 0 : 1]);
  theirs->reset(fds[we_read ? 1 : 0]);
  return fcntl(ours->get(), F_SETFL, O_NONBLOCK | (we_read ? O_RDONLY : O_WRONLY)) == 0;
}

bool in_background() {
  pid_t foreground = tcgetpgrp(STDIN_FILENO);
  return foreground > 0 && foreground != getpgrp();
}

UniqueFd open_peer(int master) { return UniqueFd(ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC)); }

bool terminal_size(winsize* size) {
  for (int fd = 0; fd < 3; fd++) {
    if (ioctl(fd, TIOCGWINSZ, size) == 0) return true;
  }
  return false;
}

void die_of_sigpipe() {
  sigset_t pipe_only;
  sigemptyset(&pipe_only);
  sigaddset(&pipe_only, SIGPIPE);
  raise(SIGPIPE);
  sigprocmask(SIG_UNBLOCK, &pipe_only, nullptr);
}

void die_of(int sig) {
  struct sigaction action = {};
  action.sa_handler = SIG_DFL;
  sigaction(sig, &action, nullptr);
  sigset_t only;
  sigemptyset(&only);
  sigaddset(&only, sig);
  raise(sig);
  sigprocmask(SIG_UNBLOCK, &only, nullptr);
  _exit(128 + sig);
}

void RawMode::enter() {
  if (raw_ || tcgetattr(STDIN_FILENO, &saved_) < 0 || in_background()) return;
  termios raw = saved_;
  cfmakeraw(&raw);
  raw_ = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
}

void RawMode::leave() {
  if (!raw_) return;
  raw_ = false;
  (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &saved_);
}
