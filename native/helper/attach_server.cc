// See attach_server.h. Sockets of clients are non-blocking; packets are small enough to be taken whole or not at all.

#include "attach_server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>

#include "forever.h"
#include "own_stdio.h"
#include "sync.h"

namespace {

constexpr size_t kBufferSize = 65536;
constexpr size_t kPipeMax = 2 << 20;
constexpr uint32_t kStreamOf[] = {kStreamOut, kStreamErr};
constexpr AttachType kTypeOf[] = {AttachType::kOutput, AttachType::kErrorOutput};
constexpr const char* kLogName[] = {"stdout", "stderr"};

/** Room for one packet of every client that may send one. */
char input[32 * kInputMax];

}  // namespace

bool AttachServer::open(const Plan& plan, UniqueFd first) {
  plan_ = &plan;
  (void)fcntl(first.get(), F_SETFL, O_NONBLOCK);
  add_client(static_cast<UniqueFd&&>(first), plan.client.streams);
  listen_.reset(bind_attach(plan.lifetime.container_dir));
  return static_cast<bool>(listen_);
}

bool AttachServer::prepare(const Plan& plan, InitChannels* channels, StepError* e) {
  if (!log_.open_for(plan.stdio)) return fail(e, Step::kLog, plan.stdio.log);
  if (ended_) forget_all();
  sink_.reset();
  input_start_ = input_end_ = 0;
  input_ended_ = running_ = false;
  last_input_ = '\n';
  bool tty = plan.stdio.kind == StdioKind::kTty;
  for (int i = 0; i < (tty ? 1 : 2); i++) {
    Output* o = &outputs_[i];
    if (o->buffer == nullptr) {
      o->buffer = allocate_forever<char>(kBufferSize);
      o->size = kBufferSize;
    }
    if (o->buffer == nullptr) return fail(e, Step::kStdio, "");
    if (!tty && !make_pipe(&o->source, &channels->stdio[i + 1], true)) return fail(e, Step::kStdio, "");
  }
  if (tty) return true;
  if (plan.stdio.use_stdin) return make_pipe(&sink_, &channels->stdio[0], false) || fail(e, Step::kStdio, "");
  channels->stdio[0].reset(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  return channels->stdio[0] ? true : fail(e, Step::kStdio, "/dev/null");
}

/** A restart: who has not yet taken the output of the run before gets no more of it. */
void AttachServer::forget_all() {
  ended_ = false;
  for (Client& c : clients_) c.sock.reset();
  for (Output& o : outputs_) o.end = 0;
}

bool AttachServer::take_terminal(UniqueFd master, StepError* e) {
  if (fcntl(master.get(), F_SETFL, O_RDWR | O_NONBLOCK) < 0) return fail(e, Step::kTty, "");
  outputs_[0].source.reset(fcntl(master.get(), F_DUPFD_CLOEXEC, 3));
  if (plan_->stdio.use_stdin) sink_.reset(fcntl(master.get(), F_DUPFD_CLOEXEC, 3));
  slave_ = open_peer(master.get());
  master_ = static_cast<UniqueFd&&>(master);
  // The client's message is there already, but perhaps not read yet.
  for (Client& c : clients_) {
    if (c.sock) receive(&c);
  }
  if (has_size_) (void)ioctl(master_.get(), TIOCSWINSZ, &size_);
  return true;
}

int AttachServer::add_polls(pollfd* polls) {
  int n = 0;
  auto add = [&](const UniqueFd& fd, short events) -> pollfd* {
    if (!fd) return nullptr;
    polls[n] = {fd.get(), events, 0};
    return &polls[n++];
  };
  listen_poll_ = add(listen_, POLLIN);
  sink_poll_ = input_start_ < input_end_ ? add(sink_, POLLOUT) : nullptr;
  for (Output& o : outputs_) o.poll = o.end == 0 ? add(o.source, POLLIN) : nullptr;
  for (Client& c : clients_) c.poll = add(c.sock, is_behind(c) ? POLLIN | POLLOUT : POLLIN);
  return n;
}

void AttachServer::move() {
  if (listen_poll_ != nullptr && listen_poll_->revents != 0) accept_clients();
  for (Client& c : clients_) {
    if (c.sock && c.poll != nullptr && (c.poll->revents & (POLLIN | POLLHUP | POLLERR)) != 0) receive(&c);
    c.poll = nullptr;
  }
  if (sink_poll_ != nullptr && sink_poll_->revents != 0) write_input();
  for (int i = 0; i < 2; i++) {
    if (outputs_[i].poll != nullptr && outputs_[i].poll->revents != 0) fill(i);
    outputs_[i].poll = nullptr;
    send_output(i);
  }
  grant_input();
  if (!ended_) return;
  for (Client& c : clients_) {
    if (!c.sock || is_behind(c)) continue;
    if (send_attach_number(c.sock.get(), AttachType::kExit, static_cast<uint32_t>(status_)) ||
        errno != EAGAIN)
      c.sock.reset();
  }
}

void AttachServer::accept_clients() {
  for (;;) {
    UniqueFd sock(accept4(listen_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!sock) return;
    add_client(static_cast<UniqueFd&&>(sock), 0);
  }
}

void AttachServer::add_client(UniqueFd sock, uint32_t streams) {
  for (Client& c : clients_) {
    if (c.sock) continue;
    c.streams = streams;
    c.may_send = c.told_start = false;
    for (int i = 0; i < 2; i++) c.sent[i] = outputs_[i].end;
    c.sock = static_cast<UniqueFd&&>(sock);
    return;
  }
  StepError e;
  errno = EMFILE;
  fail_because(&e, Step::kAttach, "", "too many clients are attached already");
  (void)send_error(sock.get(), e);
  (void)send_attach_number(sock.get(), AttachType::kExit, 1);
}

void AttachServer::drop(Client* c) {
  bool had_input = (c->streams & kStreamIn) != 0;
  c->sock.reset();
  // A terminal stays: its next client may type.
  if (had_input && plan_->stdio.stdin_once && plan_->stdio.kind != StdioKind::kTty) {
    input_ended_ = true;
    write_input();
  }
}

void AttachServer::receive(Client* c) {
  static struct {
    AttachType type;
    char data[kInputMax];
  } packet;
  while (c->sock) {
    ssize_t n = receive_attach(c->sock.get(), &packet, sizeof packet);
    if (n < 0 && errno == EAGAIN) return;
    if (n < static_cast<ssize_t>(sizeof packet.type)) return drop(c);
    take_message(c, packet.type, packet.data, static_cast<size_t>(n) - sizeof packet.type);
  }
}

void AttachServer::take_message(Client* c, AttachType type, const char* data, size_t size) {
  uint32_t number = 0;
  if (size >= sizeof number) memcpy(&number, data, sizeof number);
  switch (type) {
    case AttachType::kHello:
      c->streams = number;
      if (running_ && !c->told_start) c->told_start = send_attach(c->sock.get(), AttachType::kStarted, "", 0);
      return;
    case AttachType::kInput:
      if (c->may_send) take_input(data, size);
      c->may_send = false;
      return;
    case AttachType::kInputEnd:
      c->may_send = false;
      c->streams &= ~kStreamIn;
      if (!plan_->stdio.stdin_once && plan_->stdio.kind != StdioKind::kTty) return;
      input_ended_ = true;
      return write_input();
    case AttachType::kResize:
      size_.ws_row = static_cast<unsigned short>(number & 0xffff);
      size_.ws_col = static_cast<unsigned short>(number >> 16);
      has_size_ = true;
      if (master_) (void)ioctl(master_.get(), TIOCSWINSZ, &size_);
      return;
    case AttachType::kSignal:
      if (signal_count_ < kMaxSignals && number >= 1 && number <= 64)
        signals_[signal_count_++] = static_cast<int>(number);
      return;
    default:
      return;
  }
}

int AttachServer::take_signal() {
  if (signal_count_ == 0) return 0;
  int sig = signals_[0];
  memmove(signals_, signals_ + 1, static_cast<size_t>(--signal_count_) * sizeof signals_[0]);
  return sig;
}

void AttachServer::take_input(const char* data, size_t size) {
  if (!sink_ || size == 0) return;
  if (input_start_ > 0) {
    memmove(input, input + input_start_, input_end_ - input_start_);
    input_end_ -= input_start_;
    input_start_ = 0;
  }
  if (size > sizeof input - input_end_) return;  // a client that sends without being asked
  memcpy(input + input_end_, data, size);
  input_end_ += size;
  last_input_ = data[size - 1];
  write_input();
}

void AttachServer::write_input() {
  while (sink_ && input_start_ < input_end_) {
    ssize_t n = write(sink_.get(), input + input_start_, input_end_ - input_start_);
    if (n < 0 && would_block(errno)) return;
    if (n < 0) sink_.reset();  // nobody reads it any more
    if (n > 0) input_start_ += static_cast<size_t>(n);
  }
  input_start_ = input_end_ = 0;
  if (input_ended_) end_input();
}

void AttachServer::end_input() {
  if (!sink_) return;
  if (plan_->stdio.kind != StdioKind::kTty) return sink_.reset();
  input_ended_ = false;
  // A terminal has no end of file but this character; in the middle of a line it takes two.
  termios t;
  if (tcgetattr(master_.get(), &t) < 0 || (t.c_lflag & ICANON) == 0) return;
  char eof[2] = {static_cast<char>(t.c_cc[VEOF]), static_cast<char>(t.c_cc[VEOF])};
  (void)!write(sink_.get(), eof, last_input_ == '\n' ? 1 : 2);
}

/** Input is asked for, so that a client's signals never wait behind bytes that the container does not read. */
void AttachServer::grant_input() {
  if (!sink_ || input_ended_ || input_start_ < input_end_) return;
  for (Client& c : clients_) {
    if (!c.sock || c.may_send || (c.streams & kStreamIn) == 0) continue;
    c.may_send = send_attach(c.sock.get(), AttachType::kWant, "", 0);
  }
}

void AttachServer::fill(int i) {
  Output* o = &outputs_[i];
  if (!o->source || o->end == o->size) return;
  ssize_t n = read(o->source.get(), o->buffer + o->end, o->size - o->end);
  if (n < 0 && would_block(errno)) return;
  // EIO from a terminal: nobody has the other end open.
  if (n <= 0) return o->source.reset();
  if (log_) log_.append(kLogName[i], o->buffer + o->end, static_cast<size_t>(n));
  o->end += static_cast<size_t>(n);
}

void AttachServer::send_output(int i) {
  Output* o = &outputs_[i];
  if (o->end == 0) return;
  for (Client& c : clients_) {
    if (c.sock) send_to(&c, i);
  }
  if (!all_sent(i)) return;
  o->end = 0;
  for (Client& c : clients_) c.sent[i] = 0;
}

void AttachServer::send_to(Client* c, int i) {
  const Output& o = outputs_[i];
  if ((c->streams & kStreamOf[i]) == 0) {
    c->sent[i] = o.end;
    return;
  }
  while (c->sent[i] < o.end) {
    size_t size = o.end - c->sent[i];
    if (size > kOutputMax) size = kOutputMax;
    if (!send_attach(c->sock.get(), kTypeOf[i], o.buffer + c->sent[i], size)) {
      if (!would_block(errno)) drop(c);
      return;
    }
    c->sent[i] += size;
  }
}

bool AttachServer::all_sent(int i) const {
  for (const Client& c : clients_) {
    if (c.sock && c.sent[i] < outputs_[i].end) return false;
  }
  return true;
}

bool AttachServer::is_behind(const Client& c) const {
  return c.sock && (c.sent[0] < outputs_[0].end || c.sent[1] < outputs_[1].end);
}

/** All there is, whether or not a client takes it in: the log and the exit record must not wait for one that stalls. */
bool AttachServer::finish() {
  sink_.reset();
  slave_.reset();
  for (int i = 0; i < 2; i++) {
    Output* o = &outputs_[i];
    // More than a pipe can hold comes from a process outside of the container that goes on writing.
    size_t enough = o->end + kPipeMax;
    while (o->source && o->end < enough) {
      size_t before = o->end;
      if (o->end == o->size) {
        char* larger = static_cast<char*>(realloc(o->buffer, o->size * 2));
        if (larger == nullptr) break;
        o->buffer = larger;
        o->size *= 2;
      }
      fill(i);
      // Nothing there although a writer is left: a process outside of the container holds it.
      if (o->end == before) o->source.reset();
    }
    o->source.reset();
    send_output(i);
  }
  master_.reset();
  log_.end_lines();
  return false;
}

void AttachServer::started() {
  running_ = true;
  for (Client& c : clients_) {
    if (c.sock && !c.told_start) c.told_start = send_attach(c.sock.get(), AttachType::kStarted, "", 0);
  }
  grant_input();
}

void AttachServer::end(int status) {
  running_ = false;
  ended_ = true;
  status_ = status;
  move();
}

void AttachServer::close_files() {
  log_.close();
  if (!listen_) return;
  unlink_attach(plan_->lifetime.container_dir);
  accept_clients();  // who was just about to come hears of the end
  listen_.reset();
}

bool AttachServer::has_clients() const {
  for (const Client& c : clients_) {
    if (c.sock) return true;
  }
  return false;
}
