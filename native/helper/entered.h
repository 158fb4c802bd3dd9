// A process that enters a running container on its way to execve: the command of `exec`, or a probe of the health check.
#pragma once

#include "enter.h"
#include "init.h"
#include "plan.h"

/** What it is to become, where, and what it has in common with the helper. The plan's session names the container. */
struct Entry {
  const Plan* plan = nullptr;
  RunningInit init;
  InitChannels channels;
};

/** In the process in between, as clone_beyond wants it: lets go of the host and enters the namespaces. `arg`: an Entry. */
bool enter_container(void* arg, int report, StepError* e);

/** In the clone, inside the container: waits for RUN and executes. */
[[noreturn]] void become_command(Entry& entry);
