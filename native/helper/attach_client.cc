// See attach_client.h and attach_protocol.h. Input goes out only when the monitor asks for it, output is read only when
// what came before it has been written: so each side is held up by the other exactly as by a pipe.

#include "attach_client.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

#include "attach_protocol.h"
#include "common/retry.h"
#include "detach_keys.h"
#include "event_log.h"
#include "own_stdio.h"
#include "signals.h"
#include "sync.h"

namespace {

constexpr size_t kPacketMax = kOutputMax + sizeof(AttachType);

struct Sink {
  UniqueFd fd;
  bool plain = false, chunked = false;
};

class Client {
 public:
  Client(const Plan& plan, int sock) : all_(plan), plan_(plan.client), sock_(sock), keys_() {
    keys_.set(plan_.detach_keys);
  }
  int run();

 private:
  void open_streams();
  void take_signals();
  void receive();
  void take_message(AttachType type, const char* data, size_t size);
  void write_output();
  void send_input();
  void send_size();
  void print();
  void finish(int status);
  void lose_monitor();
  bool wants_raw() const { return plan_.tty && (plan_.streams & kStreamIn) != 0; }

  const Plan& all_;
  const ClientPlan& plan_;
  int sock_;
  DetachKeys keys_;
  UniqueFd signals_, input_;
  Sink sinks_[2];
  RawMode raw_mode_;
  bool lost_output_ = false;
  bool asked_ = false, started_ = false, failed_ = false, printed_ = false, ended_ = false;
  int status_ = 0;
  /** Output that is still to be written, in packet_. */
  size_t start_ = 0, end_ = 0;
  Sink* target_ = nullptr;
  alignas(SyncMessage) char packet_[kPacketMax > sizeof(SyncMessage) ? kPacketMax : sizeof(SyncMessage)];
};

void Client::open_streams() {
  bool plain = false, chunked = false;
  if ((plan_.streams & kStreamIn) != 0) input_ = open_again(STDIN_FILENO, O_RDONLY, &plain, &chunked);
  for (int i = 0; i < 2; i++) {
    if ((plan_.streams & (i == 0 ? kStreamOut : kStreamErr)) == 0) continue;
    sinks_[i].fd = open_again(i + 1, O_WRONLY, &sinks_[i].plain, &sinks_[i].chunked);
  }
}

void Client::send_size() {
  winsize size;
  if (!plan_.tty || !terminal_size(&size)) return;
  send_attach_number(sock_, AttachType::kResize, size.ws_row | static_cast<uint32_t>(size.ws_col) << 16);
}

void Client::print() {
  if (printed_ || plan_.print[0] == '\0') return;
  printed_ = true;
  Text<512> line;
  line << plan_.print << '\n';
  (void)write_all(STDOUT_FILENO, line.c_str(), line.size());
}

void Client::finish(int status) {
  ended_ = true;
  status_ = status;
}

void Client::lose_monitor() {
  if (ended_) return;
  raw_mode_.leave();
  static const char kText[] =
      "Error: the process that kept the container was killed, and the container with it\n";
  (void)write_all(STDERR_FILENO, kText, sizeof kText - 1);
  finish(128 + SIGKILL);
}

void Client::take_signals() {
  signalfd_siginfo info;
  while (read(signals_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    int sig = static_cast<int>(info.ssi_signo);
    if (sig == SIGCHLD || sig == SIGPIPE || sig == SIGURG) continue;
    if (sig == SIGWINCH) {
      send_size();
      continue;
    }
    if (sig == SIGCONT) {
      if (started_ && wants_raw()) raw_mode_.enter();
      continue;
    }
    if (sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU) {
      raw_mode_.leave();
      kill(getpid(), SIGSTOP);
      continue;
    }
    // A terminal that is closed takes its client along, never the container.
    if (plan_.sig_proxy && !(plan_.tty && sig == SIGHUP)) {
      send_attach_number(sock_, AttachType::kSignal, static_cast<uint32_t>(sig));
      continue;
    }
    raw_mode_.leave();
    die_of(sig);
  }
}

void Client::receive() {
  ssize_t n = receive_attach(sock_, packet_, sizeof packet_);
  if (n < 0 && errno == EAGAIN) return;
  AttachType type;
  if (n < static_cast<ssize_t>(sizeof type)) return lose_monitor();
  memcpy(&type, packet_, sizeof type);
  take_message(type, packet_ + sizeof type, static_cast<size_t>(n) - sizeof type);
}

void Client::take_message(AttachType type, const char* data, size_t size) {
  switch (type) {
    case AttachType::kStarted:
      started_ = true;
      print();
      if (plan_.kind == ClientKind::kDetached) return finish(0);
      if (wants_raw()) raw_mode_.enter();
      return;
    case AttachType::kWant:
      asked_ = true;
      return;
    case AttachType::kOutput:
    case AttachType::kErrorOutput:
      target_ = &sinks_[type == AttachType::kOutput ? 0 : 1];
      start_ = sizeof type;
      end_ = sizeof type + size;
      return write_output();
    case AttachType::kExit: {
      uint32_t status = 0;
      if (size >= sizeof status) memcpy(&status, data, sizeof status);
      if (failed_ && plan_.print_on_failure) print();
      return finish(static_cast<int>(status));
    }
    default:
      break;
  }
  SyncMessage* m = reinterpret_cast<SyncMessage*>(packet_);
  if (size + sizeof type < kSyncHeaderSize || size + sizeof type != kSyncHeaderSize + m->len) return;
  if (m->type == SyncType::kError) {
    StepError e;
    read_error(*m, &e);
    raw_mode_.leave();
    print_error(e);
    failed_ = true;
  } else if (m->type == SyncType::kNote) {
    Text<kSyncDetailMax + 1> note;
    note.bytes(m->detail, m->len);
    print_note(note.c_str());
  }
}

void Client::write_output() {
  while (start_ < end_ && target_->fd) {
    size_t size = end_ - start_;
    if (target_->chunked && size > PIPE_BUF) size = PIPE_BUF;
    ssize_t n = write(target_->fd.get(), packet_ + start_, size);
    if (n > 0) start_ += static_cast<size_t>(n);
    if (n > 0 && !target_->chunked) continue;
    if (n >= 0 || would_block(errno)) return;
    if (errno == EPIPE) {
      raw_mode_.leave();
      die_of_sigpipe();
    }
    StepError e;
    fail(&e, Step::kOutput, "");
    print_error(e);
    lost_output_ = true;
    target_->fd.reset();
  }
  start_ = end_ = 0;
}

void Client::send_input() {
  // With room in front for keys that were held back.
  char bytes[kInputMax];
  char* typed = bytes + kDetachKeysMax;
  ssize_t n = read(input_.get(), typed, sizeof bytes - kDetachKeysMax);
  if (n < 0 && would_block(errno)) return;
  if (n < 0 && errno == EIO && in_background()) {
    // As any program that reads in the background: stopped until it is brought to the foreground.
    kill(getpid(), SIGSTOP);
    return;
  }
  if (n <= 0) {
    input_.reset();
    send_attach(sock_, AttachType::kInputEnd, "", 0);
    return;
  }
  size_t size = static_cast<size_t>(n);
  if (keys_.is_on()) {
    size = keys_.filter(typed, size, bytes);
    typed = bytes;
  }
  if (size > 0) {
    asked_ = false;
    send_attach(sock_, AttachType::kInput, typed, size);
  }
  if (!keys_.found()) return;
  raw_mode_.leave();
  static const char kText[] = "read escape sequence\n";
  (void)write_all(STDERR_FILENO, kText, sizeof kText - 1);
  log_event(all_, "detach");
  finish(0);
}

int Client::run() {
  signals_ = take_over_signals(true);
  open_streams();
  send_size();
  while (!ended_) {
    pollfd polls[4];
    int n = 0;
    auto add = [&](int fd, short events) {
      polls[n] = {fd, events, 0};
      return &polls[n++];
    };
    bool pending = start_ < end_;
    pollfd* signals = add(signals_.get(), POLLIN);
    pollfd* sock = pending ? nullptr : add(sock_, POLLIN);
    pollfd* input = input_ && asked_ ? add(input_.get(), POLLIN) : nullptr;
    pollfd* output = pending && target_->fd ? add(target_->fd.get(), POLLOUT) : nullptr;
    if (poll(polls, static_cast<nfds_t>(n), -1) < 0) continue;
    if (signals->revents != 0) take_signals();
    if (output != nullptr && output->revents != 0) write_output();
    if (input != nullptr && input->revents != 0) send_input();
    if (sock != nullptr && sock->revents != 0 && !ended_) receive();
  }
  raw_mode_.leave();
  // The container has done its work; that it did not arrive is ours to say.
  return status_ == 0 && lost_output_ ? 125 : status_;
}

int serve_client(const Plan& plan, int sock) {
  static Client client(plan, sock);
  return client.run();
}

}  // namespace

int follow_monitor(const Plan& plan, int sock) { return serve_client(plan, sock); }

int attach_to_container(int plan_fd) {
  static Plan plan;
  StepError e;
  if (!read_plan(plan_fd, &plan, &e)) {
    print_error(e);
    return exit_status_of(e);
  }
  int sock = connect_attach(plan.lifetime.container_dir);
  if (sock < 0) {
    fail(&e, Step::kAttach, plan.label);
    print_error(e);
    return 1;
  }
  send_attach_number(sock, AttachType::kHello, plan.client.streams);
  return serve_client(plan, sock);
}
