// A new network namespace has a loopback device that is down; 127.0.0.1 and ::1 come by themselves when it goes up.

#include "loopback.h"

#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "common/unique_fd.h"

bool bring_up_loopback(StepError* e) {
  UniqueFd sock(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  // A kernel without IPv4 still takes the request on any other socket.
  if (!sock) sock.reset(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!sock) return fail(e, Step::kLoopback, "lo");
  ifreq request = {};
  strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  return ioctl(sock.get(), SIOCSIFFLAGS, &request) == 0 || fail(e, Step::kLoopback, "lo");
}
