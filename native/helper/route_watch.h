// Waiting for the network helper to have configured our network namespace.
#pragma once

#include "common/unique_fd.h"

/** Before the helper is started: from here on no change is missed. Empty where the kernel has no netlink. */
UniqueFd watch_routes();
/** Until a default route exists; false when that takes longer than `timeout_ms`. */
bool wait_for_default_route(const UniqueFd& watch, int timeout_ms);
