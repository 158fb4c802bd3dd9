// The plan as the helper sees it: src/native/plan.ts after decoding. Strings and blobs point into the plan's own
// bytes (each string there ends with a NUL); lists are allocated once, by the decoder alone, and never freed.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "error.h"

template <typename T>
struct List {
  T* items = nullptr;
  uint32_t count = 0;
  T* begin() const { return items; }
  T* end() const { return items + count; }
};

/** A list of strings, also usable as argv: items[count] is a null pointer. */
using StringList = List<const char*>;

struct Blob {
  const uint8_t* data = nullptr;
  uint32_t size = 0;
};

struct IdMapping {
  uint32_t container_id, host_id, size;
};

enum class UserNs : uint32_t { kHost, kNewIdMap, kNewSelf, kJoin };
enum class NsKind : uint32_t { kNew, kHost, kJoin };

struct NamespaceChoice {
  NsKind kind = NsKind::kHost;
  const char* path = "";
};

struct Namespaces {
  UserNs user = UserNs::kHost;
  const char* user_path = "";
  List<IdMapping> uid_map, gid_map;
  NamespaceChoice pid, net, ipc, uts, cgroup;
};

struct RootFs {
  bool overlay = false;
  bool no_dev = false;
  StringList lower;  // topmost first
  const char* upper = "";
  const char* work = "";
  const char* path = "";  // of a bind
};

enum class Propagation : uint32_t { kPrivate, kRprivate, kSlave, kRslave, kShared, kRshared };

enum class Op : uint32_t {
  kProc,
  kSysfs,
  kCgroup,
  kDevpts,
  kMqueue,
  kTmpfs,
  kBind,
  kFile,
  kDevice,
  kSymlink,
  kMask,
  kReadonly,
  kRootReadonly,
  kCount
};

enum class CreateTarget : uint32_t { kDir, kFile, kNone };

constexpr uint32_t kFlagReadOnly = 1, kFlagNoSuid = 2, kFlagNoDev = 4, kFlagNoExec = 8;

struct SetupOp {
  Op op = Op::kProc;
  const char* target = "";
  const char* source = "";  // bind: host path; device: host path; symlink: what it says
  const char* data = "";    // tmpfs: options; bind: a path inside the source, or nothing
  Blob content;             // file
  uint32_t flags = 0;       // kFlag*
  bool recursive = false;
  Propagation propagation = Propagation::kRprivate;
  CreateTarget create = CreateTarget::kNone;
  uint32_t mode = 0, uid = 0, gid = 0;  // of a file
  /** Opened before the new root hides the host's tree; -1 until then. */
  int source_fd = -1;
};

struct Sysctl {
  const char* name;
  const char* value;
};

struct Capabilities {
  uint64_t bounding = 0, effective = 0, permitted = 0, inheritable = 0, ambient = 0;
};

struct Rlimit {
  uint32_t resource;
  uint64_t soft, hard;
};

enum class SeccompKind : uint32_t { kDefault, kUnconfined, kFilter };

struct Process {
  StringList args, env;
  const char* cwd = "/";
  bool create_cwd = false;
  uint32_t uid = 0, gid = 0;
  List<gid_t> groups;
  bool keep_groups = false;
  Capabilities caps;
  bool no_new_privs = false;
  bool init = false;
  /** Ids and owners are those that processes ask for, though there is one id alone: see emulation.h. */
  bool emulate_ids = false;
  bool has_oom_score = false;
  int32_t oom_score = 0;
  SeccompKind seccomp = SeccompKind::kDefault;
  Blob filter;
  List<Rlimit> rlimits;
};

/** kPipe: one for stdout and stderr, and no log. */
enum class StdioKind : uint32_t { kInherit, kPipes, kTty, kPipe };

struct Stdio {
  StdioKind kind = StdioKind::kInherit;
  bool use_stdin = false;
  /** The container's input ends with that of its first client, as with `docker run -i`. */
  bool stdin_once = false;
  const char* log = "";  // empty: none
  /** The log is renamed to log.1, log.2 … when it has grown beyond so many bytes; 0: never. */
  uint64_t log_max_size = 0;
  uint32_t log_files = 1;
  /** Fields of every journal entry, "NAME=value" and a newline each; empty: not logged there. */
  Blob journal;
};

enum class NetHelper : uint32_t { kNone, kPasta, kSlirp };

struct NetworkHelper {
  NetHelper kind = NetHelper::kNone;
  const char* program = "";
  StringList args;
  const char* api_socket = "";
  StringList api_requests;
};

enum class RestartKind : uint32_t { kNo, kOnFailure, kAlways };

struct Lifetime {
  const char* container_dir = "";
  int lock_fd = -1;
  bool remove_on_exit = false;
  StringList remove_paths;
  uint64_t timeout_ms = 0;
  bool die_with_parent = false;
  /** A pidfd of a process to die with; -1: none. */
  int parent_fd = -1;
  const char* pid_file = "";
  RestartKind restart = RestartKind::kNo;
  uint32_t max_restarts = 0;  // 0: without limit
};

/** kNone: this process keeps the container. Else a monitor does, and this process is its client. */
enum class ClientKind : uint32_t { kNone, kDetached, kAttached };

constexpr uint32_t kStreamIn = 1, kStreamOut = 2, kStreamErr = 4;

struct ClientPlan {
  ClientKind kind = ClientKind::kNone;
  uint32_t streams = 0;  // kStream*
  bool tty = false;
  bool sig_proxy = false;
  Blob detach_keys;  // empty: none
  /** A line for stdout once the command runs, or cannot be started. */
  const char* print = "";
  bool print_on_failure = false;
};

constexpr uint32_t kDetachKeysMax = 16;

enum class OnUnhealthy : uint32_t { kNothing, kKill, kRestart, kStop };

/** What tells whether the container is well: a command in it, with the user and rights of the container's own. */
struct HealthCheck {
  StringList args;  // empty: there is no check
  uint64_t interval_ms = 0, timeout_ms = 0, start_period_ms = 0, start_interval_ms = 0;
  uint32_t retries = 0;
  /** The time-out as people read it. */
  const char* timeout_text = "";
  OnUnhealthy action = OnUnhealthy::kNothing;
  /** How the container is stopped then; it is killed when that takes longer. */
  uint32_t stop_signal = 0;
  bool has_stop_timeout = false;
  uint64_t stop_timeout_ms = 0;
};

/** Mode `exec`: the running container that is entered. */
struct ExecSession {
  const char* container = "";  // as the user typed it, for messages
  /** Its init in our pid namespace; a pid alone may have been given to somebody else meanwhile. */
  pid_t pid = 0;
  uint64_t start_ticks = 0;
  /** Leave as soon as the command runs. */
  bool detach = false;
  /** Typed at the terminal: leave the command alone with it. Empty: never. */
  Blob detach_keys;
};

/** One file of a cgroup. */
struct LimitWrite {
  const char* name = "";  // what the user calls it, for messages: "--memory"
  const char* file = "";
  const char* value = "";
  /** Where the kernel has no such file; empty: none. */
  const char* other_file = "";
  const char* other_value = "";
  /** Follows from another limit: where it cannot be set nobody misses it. */
  bool implied = false;
};

/** The container's group; of an `exec`, that of the running one. */
struct CgroupPlan {
  /** Absolute directories, one a hierarchy; empty: the container stays where we are. */
  StringList groups;
  bool v1 = false;
  /** A program that has systemd put the process {pid} into a scope (of an `exec`: beside the group); empty: none. */
  StringList systemd;
  /** The scope's directory, in which the group is made. */
  const char* scope = "";
  StringList controllers;  // to be enabled there
  List<LimitWrite> limits;
  /** Content of containers/<id>/cgroup. */
  const char* record = "";
  /** The file that counts kills for want of memory; empty: none. */
  const char* events = "";
  /** The limit of memory in words: " at its limit of 64 MiB (--memory)". */
  const char* memory = "";
  /** Something was asked for: what is not honoured is said. */
  bool asked = false;
  bool required = false;
};

/** What `skiff events` is told: members of JSON objects, since the helper knows no JSON (event_log.h). */
struct Events {
  const char* log = "";      // path of the store's event log; empty: nobody is told
  const char* subject = "";  // the container
  /** Its volumes, once for each kind of event. */
  StringList mounted, unmounted, destroyed;
};

struct Plan {
  Namespaces ns;
  RootFs rootfs;
  Propagation root_propagation = Propagation::kRprivate;
  List<SetupOp> setup;
  const char* hostname = "";
  const char* domainname = "";
  List<Sysctl> sysctls;
  Process process;
  Stdio stdio;
  NetworkHelper network;
  Lifetime lifetime;
  ClientPlan client;
  HealthCheck health;
  const char* label = "";
  /** Modes `userns` and `remove`: what to execute there, what to remove. */
  StringList command;
  StringList remove;
  ExecSession session;
  CgroupPlan cgroup;
  Events events;
};

/** Decodes `size` bytes at `data`, which must stay as they are for the life of the plan. */
bool decode_plan(const uint8_t* data, size_t size, Plan* plan, StepError* e);
/** Reads the whole of `fd` and decodes it. */
bool read_plan(int fd, Plan* plan, StepError* e);
