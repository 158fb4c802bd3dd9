// Copies between our stdio and the container's, for pipes and terminals; nothing is copied with inherited stdio.
#pragma once

#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <termios.h>

#include "common/unique_fd.h"
#include "detach_keys.h"
#include "init.h"
#include "json_log.h"
#include "plan.h"

/** One direction: what was read from `source` and not yet taken by `sink`. */
struct Stream {
  UniqueFd source, sink;
  const char* log_name = nullptr;  // of the log; null: not logged
  char* buffer = nullptr;
  size_t start = 0, end = 0;
  /** A file: always ready, and never in a poll set. */
  bool sink_is_plain = false;
  bool chunked = false;  // the sink may block: write only as much as poll promises
  bool source_ended = false;
  pollfd* source_poll = nullptr;
  pollfd* sink_poll = nullptr;
};

constexpr int kStreams = 3;
constexpr int kRelayPolls = 2 * kStreams;

class Relay {
 public:
  /** Before the clone: makes pipes, opens the log. */
  bool prepare(const Plan& plan, InitChannels* channels, StepError* e);
  /** The master of the container's terminal has arrived. */
  bool take_terminal(UniqueFd master, StepError* e);
  /** After the clone: closes what belongs to the container. */
  void drop_child_ends(InitChannels* channels);

  /** Adds up to kRelayPolls entries at `polls`; returns how many. */
  int add_polls(pollfd* polls);
  /** After poll(2): moves what can be moved. */
  void move();
  /** The container has ended: what it wrote is still to be read. False when all of it has been passed on. */
  bool finish();
  bool is_active() const { return active_; }

  void resize();
  /** Our terminal gets its settings back; safe to call twice. */
  void restore_terminal();
  /** Once: a read of our terminal was refused since we are in the background. */
  bool take_stop_request();
  /** The detach keys were typed. */
  bool wants_to_detach() const { return keys_.found(); }
  /** Takes leave of our stdio: the terminal's output is read on, since its writers would wait, and dropped. */
  void let_go();
  /** Somebody in the container may still write to the terminal. */
  bool has_output() const { return static_cast<bool>(output_.source); }
  /** After a stop: raw mode again. */
  void reclaim_terminal();

 private:
  void pump(Stream* s);
  void fill(Stream* s);
  void flush(Stream* s);
  void lose_sink(Stream* s);
  void end_input();

  Stream streams_[kStreams];
  Stream& input_ = streams_[0];
  Stream& output_ = streams_[1];
  UniqueFd master_;
  JsonLog log_;
  DetachKeys keys_;
  termios saved_ = {};
  bool is_tty_ = false;
  bool raw_ = false;
  bool active_ = false;
  bool stop_requested_ = false;
  char last_input_ = '\n';
};
