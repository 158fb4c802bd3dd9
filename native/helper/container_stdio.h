// What the loop of events.cc asks of whoever moves a container's input and output: relay.h (our own stdio, in the
// foreground) or attach_server.h (clients on a socket, in a monitor).
#pragma once

#include <fcntl.h>
#include <poll.h>

#include "init.h"
#include "plan.h"

constexpr int kStdioPolls = 40;

class ContainerStdio {
 public:
  /** Before each clone: makes pipes, opens the log. */
  virtual bool prepare(const Plan& plan, InitChannels* channels, StepError* e) = 0;
  /** The master of the container's terminal has arrived. */
  virtual bool take_terminal(UniqueFd master, StepError* e) = 0;
  /** Adds up to kStdioPolls entries at `polls`; returns how many. */
  virtual int add_polls(pollfd* polls) = 0;
  /** After poll(2): moves what can be moved. */
  virtual void move() = 0;
  /** The container has ended: what it wrote is still to be read. False when all of it has been passed on. */
  virtual bool finish() = 0;
  /** The command runs. */
  virtual void started() {}
  /** A signal that a client asks for; 0: none (any more). */
  virtual int take_signal() { return 0; }

  // The terminal and job control of our caller, which a monitor does not have.
  virtual void resize() {}
  virtual void restore_terminal() {}
  /** Once: a read of our terminal was refused since we are in the background. */
  virtual bool take_stop_request() { return false; }
  /** The container has a terminal, and nobody reads our stdout any more: a pipe would have ended the writer. */
  virtual bool has_broken_pipe() const { return false; }
  /** Our own stdout or stderr could not be written, as on a full disk; it has been said. */
  virtual bool has_lost_output() const { return false; }
  /** The detach keys were typed. */
  virtual bool wants_to_detach() const { return false; }
  /** After a stop: raw mode again. */
  virtual void reclaim_terminal() {}

 protected:
  ~ContainerStdio() = default;
};

/** After the clone: closes what belongs to the container. */
inline void drop_child_ends(InitChannels* channels) {
  for (UniqueFd& fd : channels->stdio) fd.reset();
}

/** One pipe for the container's stdout and stderr, so that what is written to one place keeps its order. */
inline bool share_output(InitChannels* channels) {
  channels->stdio[2].reset(fcntl(channels->stdio[1].get(), F_DUPFD_CLOEXEC, 3));
  return static_cast<bool>(channels->stdio[2]);
}
