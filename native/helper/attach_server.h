// The container's input and output in a monitor: logged, and passed between the container and any number of clients. A
// client that does not read holds up the container, as a full pipe would; one that goes away is forgotten.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>

#include "attach_protocol.h"
#include "common/unique_fd.h"
#include "container_log.h"
#include "container_stdio.h"

class AttachServer final : public ContainerStdio {
 public:
  /** Once. `first`: the client that started us; its streams are known already. */
  bool open(const Plan& plan, UniqueFd first);
  bool prepare(const Plan& plan, InitChannels* channels, StepError* e) override;
  bool take_terminal(UniqueFd master, StepError* e) override;
  int add_polls(pollfd* polls) override;
  void move() override;
  bool finish() override;
  void started() override;
  int take_signal() override;

  /** Every client is told the exit status, after the output. */
  void end(int status);
  /** The log and the listening socket, which belong to the container's folder. */
  void close_files();
  /** False when every client has got everything, or is gone. */
  bool has_clients() const;

 private:
  static constexpr int kMaxClients = 32;
  static constexpr int kMaxSignals = 16;
  struct Client {
    UniqueFd sock;
    uint32_t streams = 0;
    /** Of each output's buffer, what this client has got. */
    size_t sent[2] = {};
    bool may_send = false, told_start = false;
    pollfd* poll = nullptr;
  };
  struct Output {
    UniqueFd source;
    char* buffer = nullptr;
    size_t size = 0, end = 0;
    pollfd* poll = nullptr;
  };

  void forget_all();
  void accept_clients();
  void add_client(UniqueFd sock, uint32_t streams);
  void drop(Client* c);
  void receive(Client* c);
  void take_message(Client* c, AttachType type, const char* data, size_t size);
  void take_input(const char* data, size_t size);
  void write_input();
  void end_input();
  void grant_input();
  void fill(int i);
  void send_output(int i);
  void send_to(Client* c, int i);
  bool is_behind(const Client& c) const;
  bool all_sent(int i) const;
  void resize(const winsize& size);

  Client clients_[kMaxClients];
  Output outputs_[2];
  UniqueFd listen_, sink_, master_;
  /** So that output survives a container that closes its terminal and opens it again, as an init does. */
  UniqueFd slave_;
  ContainerLog log_;
  const Plan* plan_ = nullptr;
  pollfd* listen_poll_ = nullptr;
  pollfd* sink_poll_ = nullptr;
  size_t input_start_ = 0, input_end_ = 0;
  char last_input_ = '\n';
  bool input_ended_ = false, running_ = false, ended_ = false;
  int status_ = 0;
  winsize size_ = {};
  bool has_size_ = false;
  int signals_[kMaxSignals] = {};
  int signal_count_ = 0;
};
