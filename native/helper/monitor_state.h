// What the helper knows about its container, shared by monitor.cc (start and end) and events.cc (in between).
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "cleanup.h"
#include "network.h"
#include "plan.h"
#include "relay.h"

enum class Phase { kStarting, kExecuting, kRunning };

struct Monitor {
  Plan plan;
  StepError error;
  Relay relay;
  Network network;
  Cleanup cleanup;
  UniqueFd signals, sync, pidfd, parent;
  /** Mode `exec`: the init of the container that was entered; when it ends, so does what was started there. */
  UniqueFd container;
  pid_t pid = -1;
  Phase phase = Phase::kStarting;
  bool has_terminal = false, run_sent = false, failed = false, ended = false;
  /** Mode `exec`: the command goes on without us. */
  bool detached = false;
  /** The exit status that overrides the container's: a signal carried out for it, or a time-out. */
  int forced_status = 0;
  int wait_status = 0;
  uint64_t started_ns = 0;
  uint64_t deadline_ms = 0;
};

/** Once a step has failed: kills what there is; m.error says why. */
void record_failure(Monitor& m);
/**
 * Until the container's first process has been reaped (with pid 1 its whole pid namespace is gone), or is left alone:
 * m.detached.
 */
void follow_container(Monitor& m);
/** Passes on what the container wrote last; a signal ends the wait for a reader who does not read. */
void drain_output(Monitor& m);

/** The process that called us, to die with it; -1 when it is none of ours to watch. */
UniqueFd watch_parent(const Lifetime& lifetime);
/** Notes a failure when the process ended before its command ran. */
void report_early_end(Monitor& m);
int exit_status(const Monitor& m);
