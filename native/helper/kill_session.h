// Ending a command together with everything it has started.
#pragma once

#include <sys/types.h>

/**
 * SIGKILL for all processes of the session that `leader`, a child of ours that is not reaped yet, leads. Whoever has
 * begun a session of its own has left it for good.
 */
void kill_session(pid_t leader);
