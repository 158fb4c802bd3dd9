// The restart policy as it is now, which may be another than when the container was started.
#pragma once

#include "plan.h"

/** Takes over what `update --restart` has left in the container's folder, if anything. */
void refresh_restart_policy(Lifetime* lifetime);
