// Messages between a monitor and its clients: one a packet of a SOCK_SEQPACKET socket, `u32 type, payload`. A monitor
// also sends kError and kNote of common/sync.h. docs/dev/native-protocol.md, "A monitor and its clients".
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum class AttachType : uint32_t {
  // client → monitor
  kHello = 16,  // u32 streams wanted: the first message of a client that connects
  kInput = 17,  // bytes for the container's stdin; once for each kWant
  kInputEnd = 18,
  kResize = 19,  // u16 rows, u16 columns
  kSignal = 20,  // u32 signal
  // monitor → client
  kStarted = 32,  // the command runs
  kWant = 33,     // one kInput may be sent
  kOutput = 34,   // bytes of stdout, or of the terminal
  kErrorOutput = 35,
  kExit = 36,  // u32 exit status; the last message
};

constexpr size_t kInputMax = 16384;
constexpr size_t kOutputMax = 32768;

/** Name of the socket in containers/<id>. */
constexpr char kAttachSocket[] = "attach";

/** Sends `type` and `size` bytes as one packet; false with errno. Blocks only where the socket does. */
bool send_attach(int sock, AttachType type, const void* data, size_t size);
inline bool send_attach_number(int sock, AttachType type, uint32_t n) {
  return send_attach(sock, type, &n, sizeof n);
}

/** One packet, if there is one; 0: the other end is closed, and everything it has sent was read; -1 with errno. */
ssize_t receive_attach(int sock, void* data, size_t size);

/** Connects to, or binds, the socket of the container's folder; paths longer than sun_path are no obstacle. */
int connect_attach(const char* container_dir);
int bind_attach(const char* container_dir);
void unlink_attach(const char* container_dir);
