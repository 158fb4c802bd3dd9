// A path in a sockaddr has 107 bytes at most, so the folder is opened and named through /proc/self/fd.

#include "attach_protocol.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/retry.h"
#include "common/unique_fd.h"
#include "text.h"

namespace {

constexpr int kBacklog = 64;

sockaddr_un address_in(int dir) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  Text<sizeof address.sun_path> path;
  path << FdPath(dir).c_str() << '/' << kAttachSocket;
  memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

UniqueFd open_dir(const char* path) { return UniqueFd(open(path, O_PATH | O_DIRECTORY | O_CLOEXEC)); }

UniqueFd make_socket(int flags) {
  return UniqueFd(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0));
}

}  // namespace

bool send_attach(int sock, AttachType type, const void* data, size_t size) {
  iovec parts[] = {{&type, sizeof type}, {const_cast<void*>(data), size}};
  msghdr msg = {};
  msg.msg_iov = parts;
  msg.msg_iovlen = 2;
  return retry([&] { return sendmsg(sock, &msg, MSG_NOSIGNAL); }) >= 0;
}

ssize_t receive_attach(int sock, void* data, size_t size) {
  ssize_t n;
  do {
    n = recv(sock, data, size, MSG_DONTWAIT);
    // The other end was closed with a message of ours unread: said once, and before what it had sent us.
  } while (n < 0 && (errno == EINTR || errno == ECONNRESET));
  return n;
}

int connect_attach(const char* container_dir) {
  UniqueFd dir = open_dir(container_dir);
  UniqueFd sock = make_socket(0);
  if (!dir || !sock) return -1;
  sockaddr_un address = address_in(dir.get());
  if (retry([&] { return connect(sock.get(), reinterpret_cast<sockaddr*>(&address), sizeof address); }) < 0)
    return -1;
  return sock.release();
}

int bind_attach(const char* container_dir) {
  UniqueFd dir = open_dir(container_dir);
  UniqueFd sock = make_socket(SOCK_NONBLOCK);
  if (!dir || !sock) return -1;
  // One left by a monitor that was killed: its lock is ours now.
  (void)unlinkat(dir.get(), kAttachSocket, 0);
  sockaddr_un address = address_in(dir.get());
  if (bind(sock.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) < 0 ||
      listen(sock.get(), kBacklog) < 0)
    return -1;
  return sock.release();
}

void unlink_attach(const char* container_dir) {
  UniqueFd dir = open_dir(container_dir);
  if (dir) (void)unlinkat(dir.get(), kAttachSocket, 0);
}
