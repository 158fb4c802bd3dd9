// What the container's init and a process that enters later (exec_mode.cc) have in common on their way to execve.
#pragma once

#include "plan.h"
#include "sync.h"

/**
 * The helper's death is ours. The kernel forgets it at every change of credentials, so this is called again after each.
 * The helper may have died in between, and then no signal comes any more: ends the process in that case.
 */
bool die_with_helper(int sync, StepError* e);

/** Waits for one message; ends the process when the helper is gone. */
void wait_for_helper(int sync, SyncType type);

/** A session keyring of its own, limits, working directory, privileges, default signals: nothing but execve is left to do afterwards. */
bool take_on_process(const Process& p, StepError* e);

/** Tells the helper why, and ends. */
[[noreturn]] void give_up(int sync, const StepError& e);
