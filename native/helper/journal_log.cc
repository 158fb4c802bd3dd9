#include "journal_log.h"

#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>

#include "common/retry.h"
#include "own_stdio.h"

namespace {

constexpr sockaddr_un kJournal = {AF_UNIX, "/run/systemd/journal/socket"};
/** The journal is waited for, as by docker; but one that hangs must not keep the container from being stopped. */
constexpr timeval kPatience = {5, 0};
constexpr int kDrainMs = 5000;

iovec part(const void* data, size_t size) { return {const_cast<void*>(data), size}; }

}  // namespace

bool JournalLog::open_for(const Stdio& stdio) {
  fields_ = stdio.journal;
  if (!make_partials()) return false;
  // Not connected: a journal that is started anew may have another socket of that name.
  fd_.reset(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  return fd_ && setsockopt(fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience) == 0;
}

/** What the journal does not take is lost, as with a full disk: never the container. */
void JournalLog::add_entry(const char* stream, const char* text, size_t size) {
  bool is_whole = size > 0 && text[size - 1] == '\n';
  if (is_whole) size--;
  // The form with a length, which is little-endian, since a line may hold any byte.
  uint8_t length[8];
  for (size_t i = 0; i < sizeof length; i++)
    length[i] = static_cast<uint8_t>(static_cast<uint64_t>(size) >> (8 * i));
  const char* priority = stream[3] == 'o' ? "PRIORITY=6\n" : "PRIORITY=3\n";
  const char* partial = is_whole ? "" : "CONTAINER_PARTIAL_MESSAGE=true\n";
  iovec parts[] = {
      part(fields_.data, fields_.size),
      part(priority, strlen(priority)),
      part(partial, strlen(partial)),
      part("MESSAGE\n", 8),
      part(length, sizeof length),
      part(text, size),
      part("\n", 1),
  };
  msghdr message = {};
  message.msg_name = const_cast<sockaddr_un*>(&kJournal);
  message.msg_namelen = sizeof kJournal;
  message.msg_iov = parts;
  message.msg_iovlen = sizeof parts / sizeof parts[0];
  int flags = MSG_NOSIGNAL | (is_stalled_ ? MSG_DONTWAIT : 0);
  ssize_t sent = retry([&] { return sendmsg(fd_.get(), &message, flags); });
  is_stalled_ = sent < 0 && would_block(errno);
}

void JournalLog::drain() {
  int waiting = 0;
  for (int ms = 0; ms < kDrainMs && !is_stalled_; ms++) {
    if (ioctl(fd_.get(), SIOCOUTQ, &waiting) < 0 || waiting == 0) return;
    (void)poll(nullptr, 0, 1);
  }
}

void JournalLog::close() {
  if (!fd_) return;
  end_lines();
  drain();
  fd_.reset();
}
