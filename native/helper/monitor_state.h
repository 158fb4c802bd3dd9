// What the helper knows about its container, shared by monitor.cc and monitored.cc (start and end) and events.cc (in
// between).
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "cgroup.h"
#include "cleanup.h"
#include "container_stdio.h"
#include "emulation.h"
#include "health.h"
#include "network.h"
#include "plan.h"

enum class Phase { kStarting, kExecuting, kRunning };

/** What follows when the container has ended: its restart policy decides, or the health check has. */
enum class AfterEnd { kPolicy, kStay, kRestart };

/** One life of the container: from the clone to the end of its first process. */
struct Run {
  StepError error;
  UniqueFd sync, pidfd;
  pid_t pid = -1;
  Phase phase = Phase::kStarting;
  bool has_terminal = false, run_sent = false, failed = false, ended = false;
  /** Mode `exec`: the command goes on without us. */
  bool detached = false;
  /** The exit status that overrides the container's: a signal carried out for it, or a time-out. */
  int forced_status = 0;
  int wait_status = 0;
  /** The kernel killed something of the container for want of memory. */
  bool is_oom = false;
  AfterEnd after_end = AfterEnd::kPolicy;
  /** When the process was made; counts as the start once the command runs. */
  uint64_t cloned_ns = 0, started_ns = 0, finished_ns = 0;
  uint64_t deadline_ms = 0;
};

struct Monitor : Run {
  Plan plan;
  ContainerStdio* stdio = nullptr;
  Network network;
  Emulation emulation;
  Cleanup cleanup;
  Cgroup cgroup;
  /** Null without a check. */
  Health* health = nullptr;
  UniqueFd signals, parent;
  bool parent_is_gone = false;
  /** In a process of our own (monitored.cc), and not in the place of the caller's. */
  bool is_monitor = false;
  /** How often the command has been started again. */
  uint32_t restarts = 0;
  /** Mode `exec`: the init of the container that was entered; when it ends, so does what was started there. */
  UniqueFd container;
};

/** Clones init and starts what runs beside it; false with m.error. Init may be there all the same. */
bool start_container(Monitor& m);
/** To its end, output included; prints what failed. The exit status. */
int run_to_end(Monitor& m);
/** The exit record. */
void save_result(const Monitor& m, int status, bool restarting);
/** Tells `events` that it has ended, if it ever began: once its record says so. */
void log_end(const Monitor& m, int status);
uint64_t monotonic_ms();
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
