// One packet a message, so that neither side ever sees half of one.

#include "sync.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/retry.h"

bool make_sync_pair(UniqueFd* helper_end, UniqueFd* init_end) {
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0) return false;
  helper_end->reset(fds[0]);
  init_end->reset(fds[1]);
  return true;
}

namespace {

bool send_packet(int sock, SyncMessage* m, int fd) {
  iovec iov = {m, kSyncHeaderSize + m->len};
  msghdr msg = {};
  msg.msg_iov = &iov;
  msg.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  if (fd >= 0) {
    msg.msg_control = control;
    msg.msg_controllen = sizeof control;
    cmsghdr* c = CMSG_FIRSTHDR(&msg);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &fd, sizeof fd);
  }
  if (retry([&] { return sendmsg(sock, &msg, MSG_NOSIGNAL); }) >= 0) return true;
  // The container's seccomp filter, which is there already when the last messages are sent, may know write alone.
  if (fd >= 0 || (errno != EPERM && errno != EACCES && errno != ENOSYS)) return false;
  return retry([&] { return write(sock, m, iov.iov_len); }) >= 0;
}

uint32_t put(SyncMessage* m, uint32_t at, const char* text, size_t size) {
  if (size > kSyncDetailMax - at) size = kSyncDetailMax - at;
  memcpy(m->detail + at, text, size);
  return at + static_cast<uint32_t>(size);
}

}  // namespace

bool send_sync(int sock, SyncType type, Step step, int err, const char* detail, int fd) {
  SyncMessage m;
  m.type = type;
  m.step = step;
  m.err = err;
  m.len = put(&m, 0, detail, strlen(detail));
  return send_packet(sock, &m, fd);
}

bool send_error(int sock, const StepError& e) {
  SyncMessage m;
  m.type = SyncType::kError;
  m.step = e.step;
  m.err = e.err;
  uint32_t at = put(&m, 0, e.object.c_str(), e.object.size() + 1);
  m.len = put(&m, at, e.cause.c_str(), e.cause.size());
  return send_packet(sock, &m, -1);
}

void read_error(const SyncMessage& m, StepError* e) {
  e->step = m.step;
  e->err = m.err;
  e->object.clear();
  e->cause.clear();
  size_t object_len = strnlen(m.detail, m.len);
  e->object.bytes(m.detail, object_len);
  if (object_len < m.len) e->cause.bytes(m.detail + object_len + 1, m.len - object_len - 1);
}

int receive_sync(int sock, SyncMessage* m, UniqueFd* fd, bool nonblocking) {
  iovec iov = {m, sizeof *m};
  msghdr msg = {};
  msg.msg_iov = &iov;
  msg.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msg.msg_control = control;
  msg.msg_controllen = sizeof control;
  int flags = MSG_CMSG_CLOEXEC | (nonblocking ? MSG_DONTWAIT : 0);
  ssize_t n;
  do {
    n = recvmsg(sock, &msg, flags);
    // The other end was closed with a message of ours unread: said once, and before what it had sent us.
  } while (n < 0 && (errno == EINTR || errno == ECONNRESET));
  if (n <= 0) return n == 0 ? 0 : -1;
  for (cmsghdr* c = CMSG_FIRSTHDR(&msg); c != nullptr; c = CMSG_NXTHDR(&msg, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    int got;
    memcpy(&got, CMSG_DATA(c), sizeof got);
    if (fd != nullptr) {
      fd->reset(got);
    } else {
      close(got);
    }
  }
  if (static_cast<size_t>(n) < kSyncHeaderSize || m->len != static_cast<size_t>(n) - kSyncHeaderSize) {
    errno = EBADMSG;
    return -1;
  }
  return 1;
}
