// The client of a monitor: this process relays its own stdio, terminal and signals, and ends with the container's
// status. The container does not depend on it.
#pragma once

#include "plan.h"

/** The client of a monitor that this process has just forked. `sock`: the other end is the monitor's. */
int follow_monitor(const Plan& plan, int sock);
/** Mode `attach`: connects to the running container of the plan. */
int attach_to_container(int plan_fd);
