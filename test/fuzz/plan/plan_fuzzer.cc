// libFuzzer target: the decoder of plans must survive any bytes. See run.sh.

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "helper/plan.h"

namespace {

// The decoder keeps its lists for the life of the process. Here they are freed after each input (--wrap=calloc).
constexpr size_t kMaxBlocks = 1 << 16;
void* blocks[kMaxBlocks];
size_t block_count = 0;
bool decoding = false;

void free_blocks() {
  while (block_count > 0) free(blocks[--block_count]);
}

// Reads everything that a decoded plan points to, so that a pointer out of bounds is noticed.
uint64_t touch(const char* text) { return strlen(text); }

uint64_t touch(const StringList& list) {
  uint64_t sum = 0;
  for (const char* text : list) sum += touch(text);
  if (list.items != nullptr && list.items[list.count] != nullptr) abort();
  return sum;
}

uint64_t touch(const Blob& blob) {
  uint64_t sum = 0;
  for (uint32_t i = 0; i < blob.size; i++) sum += blob.data[i];
  return sum;
}

uint64_t touch(const Plan& p) {
  uint64_t sum = touch(p.process.args) + touch(p.process.env) + touch(p.process.cwd) + touch(p.rootfs.lower) +
                 touch(p.rootfs.upper) + touch(p.lifetime.container_dir) + touch(p.lifetime.remove_paths) +
                 touch(p.network.args) + touch(p.network.api_requests) + touch(p.stdio.log) + touch(p.label) +
                 touch(p.command) + touch(p.remove) + touch(p.hostname) + touch(p.process.filter) +
                 touch(p.session.container) + touch(p.session.detach_keys) + touch(p.events.log) +
                 touch(p.events.subject) + touch(p.events.mounted) + touch(p.events.unmounted) +
                 touch(p.events.destroyed);
  for (const SetupOp& op : p.setup)
    sum += touch(op.target) + touch(op.source) + touch(op.data) + touch(op.content);
  for (const Sysctl& s : p.sysctls) sum += touch(s.name) + touch(s.value);
  for (const Rlimit& l : p.process.rlimits) sum += l.resource;
  for (gid_t gid : p.process.groups) sum += gid;
  for (const IdMapping& m : p.ns.uid_map) sum += m.size;
  return sum;
}

}  // namespace

extern "C" void* __real_calloc(size_t count, size_t size);

extern "C" void* __wrap_calloc(size_t count, size_t size) {
  void* block = __real_calloc(count, size);
  if (decoding && block != nullptr) {
    if (block_count == kMaxBlocks) abort();
    blocks[block_count++] = block;
  }
  return block;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // Exactly as many bytes as the plan has, so that one too many is an error.
  uint8_t* copy = static_cast<uint8_t*>(malloc(size == 0 ? 1 : size));
  memcpy(copy, data, size);
  Plan plan;
  StepError e;
  volatile uint64_t sum = 0;
  decoding = true;
  bool decoded = decode_plan(copy, size, &plan, &e);
  decoding = false;
  if (decoded) sum = touch(plan);
  (void)sum;
  free_blocks();
  free(copy);
  return 0;
}
