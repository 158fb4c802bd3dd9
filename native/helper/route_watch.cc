// rtnetlink(7). The default route is the last thing pasta --config-net and slirp4netns --configure set up.

#include "route_watch.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sys/socket.h>

#include "common/retry.h"

namespace {

/** Whether the notifications in `data` include a new default route. */
bool has_default_route(char* data, size_t size) {
  int left = static_cast<int>(size);
  for (nlmsghdr* h = reinterpret_cast<nlmsghdr*>(data); NLMSG_OK(h, static_cast<unsigned>(left));
       h = NLMSG_NEXT(h, left)) {
    if (h->nlmsg_type != RTM_NEWROUTE || h->nlmsg_len < NLMSG_LENGTH(sizeof(rtmsg))) continue;
    const rtmsg* route = static_cast<const rtmsg*>(NLMSG_DATA(h));
    if (route->rtm_dst_len == 0 && route->rtm_type == RTN_UNICAST && route->rtm_table == RT_TABLE_MAIN)
      return true;
  }
  return false;
}

}  // namespace

UniqueFd watch_routes() {
  UniqueFd sock(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  sockaddr_nl address = {};
  address.nl_family = AF_NETLINK;
  address.nl_groups = RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;
  if (sock && bind(sock.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) < 0) sock.reset();
  return sock;
}

bool wait_for_default_route(const UniqueFd& watch, int timeout_ms) {
  alignas(nlmsghdr) static char data[16 * 1024];
  pollfd p = {watch.get(), POLLIN, 0};
  for (;;) {
    // The time starts anew with each change; there are only a handful.
    if (retry([&] { return poll(&p, 1, timeout_ms); }) <= 0) return false;
    ssize_t n = recv(watch.get(), data, sizeof data, MSG_DONTWAIT);
    if (n > 0 && has_default_route(data, static_cast<size_t>(n))) return true;
    if (n < 0 && errno != EAGAIN && errno != EINTR && errno != ENOBUFS) return false;
  }
}
