// Messages between the helper and the container's init over a SOCK_SEQPACKET pair: one message a packet.
// The exchange is drawn in docs/dev/native-protocol.md.
#pragma once

#include <stdint.h>

enum class Step : uint32_t {
#define STEP(name, text, wording) name,
#include "steps.def"
#undef STEP
  kCount
};

enum class SyncType : uint32_t {
  kGo = 1,        // helper → init: the ids are mapped
  kRun = 2,       // helper → init: network, records and relay are ready; execute
  kPty = 3,       // init → helper: carries the master of the container's terminal
  kNote = 4,      // init → helper: `detail` is a warning for the user
  kError = 5,     // init → helper: `step` failed; the last message
  kExec = 6,      // init → helper: sent just before execve
  kNetns = 7,     // init → helper: carries the network namespace, where a network helper is to enter it
  kMounts = 8,    // init → helper: carries the mount namespace, for root emulation
  kListener = 9,  // init → helper: carries the listener of the system calls that it answers
};

constexpr uint32_t kSyncDetailMax = 2048;

struct SyncMessage {
  SyncType type;
  Step step;
  int32_t err;
  uint32_t len;  // of detail
  char detail[kSyncDetailMax];
};

constexpr uint32_t kSyncHeaderSize = 16;
