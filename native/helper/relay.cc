// Copies between our own stdio (own_stdio.h) and the container's.

#include "relay.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "forever.h"
#include "same_file.h"

namespace {

constexpr size_t kBufferSize = 65536;
constexpr size_t kPipeMax = 2 << 20;

bool make_buffer(Stream* s) {
  s->buffer = allocate_forever<char>(kBufferSize);
  return s->buffer != nullptr;
}

/**
 * What the container may not get itself. A terminal it could play with, unless it is its own (-t). A file it could open
 * anew by /proc/self/fd, and then read what it may only append to, or write what it may only read.
 */
bool is_to_hide(int fd) {
  struct stat st;
  if (fstat(fd, &st) < 0) return false;
  termios t;
  return S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) || S_ISBLK(st.st_mode) || tcgetattr(fd, &t) == 0;
}

}  // namespace

bool Relay::prepare(const Plan& plan, InitChannels* channels, StepError* e) {
  if (!plan.stdio.use_stdin && plan.stdio.kind != StdioKind::kTty) {
    channels->stdio[0].reset(open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!channels->stdio[0]) return fail(e, Step::kStdio, "/dev/null");
  }
  if (plan.stdio.kind == StdioKind::kInherit) return hide_streams(plan.stdio, channels, e);
  if (!log_.open_for(plan.stdio)) return fail(e, Step::kLog, plan.stdio.log);
  active_ = true;
  is_tty_ = plan.stdio.kind == StdioKind::kTty;
  for (int i = 0; i < kStreams; i++) {
    Stream* s = &streams_[i];
    if (i == 0 ? !plan.stdio.use_stdin : i == 2 && is_tty_) continue;
    if (i == 2 && plan.stdio.kind == StdioKind::kPipe) {
      if (!share_output(channels)) return fail(e, Step::kStdio, "");
      continue;
    }
    if (!open_own(i)) return fail(e, Step::kStdio, "");
    if (i == 0 && is_tty_ && isatty(STDIN_FILENO)) keys_.set(plan.session.detach_keys);
    if (i != 0) s->log_name = i == 1 ? "stdout" : "stderr";
    if (is_tty_) continue;
    if (!make_pipe(i == 0 ? &s->sink : &s->source, &channels->stdio[i], i != 0))
      return fail(e, Step::kStdio, "");
  }
  return true;
}

bool Relay::open_own(int i) {
  Stream* s = &streams_[i];
  if (!make_buffer(s)) return false;
  bool plain = false, chunked = false;
  if (i == 0) {
    s->source = open_again(STDIN_FILENO, O_RDONLY, &plain, &chunked);
  } else {
    s->sink = open_again(i, O_WRONLY, &s->sink_is_plain, &s->chunked);
  }
  return true;
}

bool Relay::hide_streams(const Stdio& stdio, InitChannels* channels, StepError* e) {
  for (int i = 0; i < kStreams; i++) {
    if ((i == 0 && !stdio.use_stdin) || !is_to_hide(i)) continue;
    active_ = true;
    if (i == 2 && channels->stdio[1] && is_same_file(1, 2)) {
      if (!share_output(channels)) return fail(e, Step::kStdio, "");
      continue;
    }
    Stream* s = &streams_[i];
    if (!open_own(i) || !make_pipe(i == 0 ? &s->sink : &s->source, &channels->stdio[i], i != 0))
      return fail(e, Step::kStdio, "");
  }
  return true;
}

bool Relay::take_terminal(UniqueFd master, StepError* e) {
  if (fcntl(master.get(), F_SETFL, O_RDWR | O_NONBLOCK) < 0) return fail(e, Step::kTty, "");
  output_.source.reset(fcntl(master.get(), F_DUPFD_CLOEXEC, 3));
  if (input_.source) input_.sink.reset(fcntl(master.get(), F_DUPFD_CLOEXEC, 3));
  slave_ = open_peer(master.get());
  master_ = static_cast<UniqueFd&&>(master);
  resize();
  reclaim_terminal();
  return true;
}

int Relay::add_polls(pollfd* polls) {
  int n = 0;
  for (Stream& stream : streams_) {
    Stream* s = &stream;
    s->source_poll = s->sink_poll = nullptr;
    bool has_data = s->start < s->end;
    if (s->source && !has_data && !s->source_ended) {
      polls[n] = {s->source.get(), POLLIN, 0};
      s->source_poll = &polls[n++];
    }
    if (s->sink && !s->sink_is_plain) {
      // Also without data: POLLERR says that nobody reads any more.
      polls[n] = {s->sink.get(), static_cast<short>(has_data ? POLLOUT : 0), 0};
      s->sink_poll = &polls[n++];
    }
  }
  return n;
}

void Relay::move() {
  for (Stream& s : streams_) pump(&s);
}

void Relay::pump(Stream* s) {
  // HUP: a socket says so where a pipe says ERR.
  if (s->sink_poll != nullptr && (s->sink_poll->revents & (POLLERR | POLLHUP | POLLNVAL)) != 0)
    return lose_sink(s);
  if (s->source_poll != nullptr && s->source_poll->revents != 0) fill(s);
  if (s->start < s->end && (s->sink_poll == nullptr || s->sink_poll->revents != 0 || !s->chunked)) flush(s);
  if (s == &input_ && s->source_ended && s->start == s->end) end_input();
}

/** Nobody reads any more: who writes is to notice, as with any broken pipe. A terminal's output goes on, its log too. */
void Relay::lose_sink(Stream* s) {
  if (s != &input_ && is_tty_ && !has_lost_output_ && !isatty(STDOUT_FILENO)) has_broken_pipe_ = true;
  s->sink.reset();
  s->start = s->end = 0;
  if (!is_tty_ || s == &input_) s->source.reset();
}

void Relay::fill(Stream* s) {
  size_t lead = s == &input_ && keys_.is_on() ? kDetachKeysMax : 0;
  ssize_t n = read(s->source.get(), s->buffer + lead, kBufferSize - lead);
  if (n < 0 && would_block(errno)) return;
  if (n < 0 && errno == EIO && s == &input_ && in_background()) {
    stop_requested_ = true;
    return;
  }
  if (n <= 0) {
    // EIO from a terminal: nobody has the other end open.
    s->source_ended = true;
    if (s != &input_) s->source.reset();
    return;
  }
  s->start = 0;
  s->end = static_cast<size_t>(n);
  if (lead > 0) s->end = keys_.filter(s->buffer + lead, s->end, s->buffer);
  if (s == &input_ && s->end > 0) last_input_ = s->buffer[s->end - 1];
  if (s->log_name != nullptr && log_) log_.append(s->log_name, s->buffer, s->end);
  if (s != &input_ && !s->sink) s->end = 0;
}

void Relay::flush(Stream* s) {
  if (!s->sink) return;
  size_t size = s->end - s->start;
  if (s->chunked && size > PIPE_BUF) size = PIPE_BUF;
  ssize_t n = write(s->sink.get(), s->buffer + s->start, size);
  if (n >= 0) {
    s->start += static_cast<size_t>(n);
    return;
  }
  if (would_block(errno)) return;
  if (errno != EPIPE && s != &input_) {
    StepError e;
    fail(&e, Step::kOutput, "");
    print_error(e);
    has_lost_output_ = true;
  }
  lose_sink(s);
}

void Relay::end_input() {
  input_.source.reset();
  if (!is_tty_) {
    input_.sink.reset();
    return;
  }
  // A terminal has no end of file but this character; in the middle of a line it takes two.
  termios t;
  if (!input_.sink || tcgetattr(master_.get(), &t) < 0 || (t.c_lflag & ICANON) == 0) return;
  char eof[2] = {static_cast<char>(t.c_cc[VEOF]), static_cast<char>(t.c_cc[VEOF])};
  (void)!write(input_.sink.get(), eof, last_input_ == '\n' ? 1 : 2);
  input_.sink.reset();
}

bool Relay::finish() {
  if (!active_) return false;
  input_.source.reset();
  input_.sink.reset();
  slave_.reset();
  bool pending = false;
  for (int i = 1; i < kStreams; i++) {
    Stream* s = &streams_[i];
    while (s->source && s->start == s->end) {
      // More than a pipe can hold comes from a process outside of the container that goes on writing.
      if (s->drained > kPipeMax) s->source.reset();
      if (!s->source) break;
      size_t before = s->end;
      s->start = s->end = 0;
      fill(s);
      // Nothing there although a writer is left: a process outside of the container holds it.
      if (s->source && s->end == 0 && before == 0) s->source.reset();
      s->drained += s->end;
      if (s->end > 0) flush(s);
    }
    pending = pending || s->start < s->end;
  }
  if (!pending) log_.close();
  return pending;
}

void Relay::let_go() {
  restore_terminal();
  slave_.reset();  // from now on the end of the terminal's writers is the end
  input_.source.reset();
  input_.sink.reset();
  output_.sink.reset();
  output_.start = output_.end = 0;
}

bool Relay::take_stop_request() {
  bool requested = stop_requested_;
  stop_requested_ = false;
  return requested;
}

void Relay::resize() {
  winsize size;
  if (master_ && terminal_size(&size)) (void)ioctl(master_.get(), TIOCSWINSZ, &size);
}

void Relay::restore_terminal() { raw_mode_.leave(); }

void Relay::reclaim_terminal() {
  if (master_ && input_.source) raw_mode_.enter();
}
