// Our own stdin, stdout and stderr, and the terminal they may be. We never block on them: a reader who stalls must not
// keep us from signals. Descriptors that others share cannot be made non-blocking (that would change them for
// everybody), so pipes and terminals are opened once more through /proc/self/fd, which gives a description of our own.
#pragma once

#include <errno.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "common/unique_fd.h"

/** Our own non-blocking view of an inherited descriptor; `plain` for files, which never block nor poll. */
UniqueFd open_again(int fd, int mode, bool* plain, bool* chunked);
/** An anonymous pipe with a non-blocking end for us. */
bool make_pipe(UniqueFd* ours, UniqueFd* theirs, bool we_read);
/** Our terminal belongs to another process group: reading it is refused (SIGTTIN is blocked, hence EIO). */
bool in_background();

/** Another end of a pty's terminal, of which only the master is at hand. */
UniqueFd open_peer(int master);
/** The size of whichever of 0, 1 and 2 is a terminal. */
bool terminal_size(winsize* size);
/** Dies as `cat` would when nobody reads its output any more. */
void die_of_sigpipe();
/** Restores the disposition, then dies of `sig`, so that our caller sees it. */
[[noreturn]] void die_of(int sig);

inline bool would_block(int err) { return err == EAGAIN || err == EINTR; }

/** Raw mode of the terminal on stdin. */
class RawMode {
 public:
  /** Does nothing without a terminal, in the background (it is somebody else's then), or twice. */
  void enter();
  void leave();

 private:
  termios saved_ = {};
  bool raw_ = false;
};
