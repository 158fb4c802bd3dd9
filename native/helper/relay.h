// Copies between our stdio and the container's in the foreground. Nothing is copied with inherited stdio, but for streams
// that are terminals or files: without -t a container gets pipes, as with docker.
#pragma once

#include <stddef.h>

#include "common/unique_fd.h"
#include "container_log.h"
#include "container_stdio.h"
#include "detach_keys.h"
#include "own_stdio.h"

/** One direction: what was read from `source` and not yet taken by `sink`. */
struct Stream {
  UniqueFd source, sink;
  const char* log_name = nullptr;  // of the log; null: not logged
  char* buffer = nullptr;
  size_t start = 0, end = 0;
  /** A file: always ready, and never in a poll set. */
  bool sink_is_plain = false;
  /** Bytes read since the container has ended. */
  size_t drained = 0;
  bool chunked = false;  // the sink may block: write only as much as poll promises
  bool source_ended = false;
  pollfd* source_poll = nullptr;
  pollfd* sink_poll = nullptr;
};

constexpr int kStreams = 3;

class Relay final : public ContainerStdio {
 public:
  bool prepare(const Plan& plan, InitChannels* channels, StepError* e) override;
  bool take_terminal(UniqueFd master, StepError* e) override;
  int add_polls(pollfd* polls) override;
  void move() override;
  bool finish() override;
  void resize() override;
  void restore_terminal() override;
  bool take_stop_request() override;
  bool has_broken_pipe() const override { return has_broken_pipe_; }
  bool has_lost_output() const override { return has_lost_output_; }
  bool wants_to_detach() const override { return keys_.found(); }
  void reclaim_terminal() override;
  /** Takes leave of our stdio: the terminal's output is read on, since its writers would wait, and dropped. */
  void let_go();
  /** Somebody in the container may still write to the terminal. */
  bool has_output() const { return static_cast<bool>(output_.source); }

 private:
  void pump(Stream* s);
  void fill(Stream* s);
  void flush(Stream* s);
  void lose_sink(Stream* s);
  void end_input();
  bool open_own(int i);
  bool hide_streams(const Stdio& stdio, InitChannels* channels, StepError* e);

  Stream streams_[kStreams];
  Stream& input_ = streams_[0];
  Stream& output_ = streams_[1];
  UniqueFd master_;
  /** So that output survives a container that closes its terminal and opens it again, as an init does. */
  UniqueFd slave_;
  ContainerLog log_;
  RawMode raw_mode_;
  DetachKeys keys_;
  bool is_tty_ = false;
  bool active_ = false;
  bool stop_requested_ = false;
  bool has_broken_pipe_ = false;
  bool has_lost_output_ = false;
  char last_input_ = '\n';
};
