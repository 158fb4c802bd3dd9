// HelperPlan: everything the native helper needs to start one container, flat and fully resolved. The helper walks
// it and decides nothing; whoever fills it in (src/runtime/plan.ts) has looked at no kernel. Strings are encoded with
// core/bytes.ts, so that argv, environment and paths arrive byte for byte. The wire format is in
// docs/dev/native-protocol.md; native/helper/plan.cc reads what src/native/encode-plan.ts writes.

/** user_namespaces(7): `size` ids from `containerID` inside are `hostID`… outside. */
export interface IdMapping {
  containerID: number;
  hostID: number;
  size: number;
}

export interface IdMap {
  uid: IdMapping[];
  gid: IdMapping[];
}

/** How the container's user namespace comes to be. */
export type UserNamespace =
  | { kind: 'host' } // root without a user namespace
  | { kind: 'new'; map: IdMap; via: 'newidmap' } // newuidmap and newgidmap, both started at once
  | { kind: 'new'; map: IdMap; via: 'self' } // written directly: a single id, or real root
  | { kind: 'join'; path: string }; // an nsfs file, e.g. /proc/PID/ns/user

export type NamespaceChoice = { kind: 'new' } | { kind: 'host' } | { kind: 'join'; path: string };

/** runtime-spec config-linux.md, "Namespaces". The mount namespace is always new. */
export interface Namespaces {
  user: UserNamespace;
  pid: NamespaceChoice;
  net: NamespaceChoice;
  ipc: NamespaceChoice;
  uts: NamespaceChoice;
  cgroup: NamespaceChoice;
}

export type RootTree =
  | {
      kind: 'overlay';
      /** Host paths, topmost layer first; at least one. */
      lower: string[];
      upper: string;
      work: string;
    }
  | { kind: 'bind'; path: string };

/** noDev: no device node in it can be opened, nor one of the mounts below a bind. */
export type RootFs = RootTree & { noDev: boolean };

export type Propagation = 'private' | 'rprivate' | 'slave' | 'rslave' | 'shared' | 'rshared';

export interface MountFlags {
  readOnly?: boolean;
  noSuid?: boolean;
  noDev?: boolean;
  noExec?: boolean;
}

/** What to make at a mount's target when it is missing from the root filesystem. */
export type CreateTarget = 'dir' | 'file' | 'none';

/**
 * One operation on the new root filesystem, done in order by the container's init before pivot_root. `target` is a
 * container path, resolved with openat2(RESOLVE_IN_ROOT); missing parents are made (0755, container root).
 */
export type SetupOp =
  | { op: 'proc'; target: string } // a new procfs of the container's pid namespace
  | { op: 'sysfs'; target: string; readOnly: boolean } // of the container's network namespace; host's, bound, when that is shared
  | { op: 'cgroup'; target: string; readOnly: boolean }
  | { op: 'devpts'; target: string } // newinstance, ptmxmode 0666; /dev/ptmx is a symlink of its own
  | { op: 'mqueue'; target: string }
  | { op: 'tmpfs'; target: string; flags: MountFlags; data: string } // data: "mode=1777,size=65536k"
  | {
      op: 'bind';
      source: string; // host path, resolved by the host's rules
      subpath?: string; // a path inside that directory, resolved as in a chroot; says itself what to create
      target: string;
      recursive: boolean;
      flags: MountFlags;
      propagation: Propagation;
      create: CreateTarget;
    }
  | {
      op: 'file'; // held in a scratch tmpfs and bound over target
      target: string;
      content: string;
      mode: number;
      readOnly: boolean;
      uid?: number; // container ids; root without them
      gid?: number;
    }
  | { op: 'device'; path: string; target: string } // bind of a host device node
  | { op: 'symlink'; target: string; to: string }
  | { op: 'mask'; target: string } // runtime-spec maskedPaths; missing targets are skipped
  | { op: 'readonly'; target: string } // runtime-spec readonlyPaths; missing targets are skipped
  | { op: 'remount-root-readonly' };

/** Bit n set = capability n (linux/capability.h). */
export interface CapabilitySets {
  bounding: bigint;
  effective: bigint;
  permitted: bigint;
  inheritable: bigint;
  ambient: bigint;
}

/** `soft`/`hard` as in getrlimit(2); -1n is RLIM_INFINITY. Clamped to what the host allows, never fatal. */
export interface Rlimit {
  resource: number; // RLIMIT_* number
  soft: bigint;
  hard: bigint;
}

export interface ContainerProcess {
  /** At least one. args[0] without a slash is looked up in env's PATH inside the container. */
  args: string[];
  /** KEY=value */
  env: string[];
  /** Container path. */
  cwd: string;
  /** Make cwd when it is missing (docker's habit for -w and WORKDIR). */
  createCwd: boolean;
  containerUid: number;
  containerGid: number;
  additionalGids: number[];
  /** Keep the caller's supplementary groups (--group-add keep-groups) instead of setgroups(). */
  keepGroups: boolean;
  capabilities: CapabilitySets;
  noNewPrivileges: boolean;
  /** 'default': the filter compiled into the helper; bytes: an array of struct sock_filter; 'unconfined': none. */
  seccomp: 'default' | 'unconfined' | Uint8Array;
  rlimits: Rlimit[];
  oomScoreAdj?: number;
  /** Run a small init as pid 1 that reaps and forwards signals (--init). */
  init: boolean;
  /**
   * Where a single id is mapped, to 0: other users and owners are emulated (docs/decisions/0033), and the ids here need no
   * host id.
   */
  emulateIds?: boolean;
}

export interface LogFile {
  path: string;
  /** Renamed to path.1, path.2 … when it has grown beyond that; 0: never. */
  maxSizeBytes: number;
  /** Files there may be, the current one included. */
  maxFiles: number;
}

/** Fields that every entry of the journal has: "NAME=value" and a newline each. */
export interface JournalFields {
  journal: Uint8Array;
}

export type Stdio =
  /** Our own stdin/stdout/stderr, but pipes in the place of terminals; stdin is /dev/null unless `stdin`. */
  | { kind: 'inherit'; stdin: boolean }
  /** Pipes, copied by the helper, and every line logged: in a file of docker's json-file form, or in systemd's journal. */
  | { kind: 'pipes'; stdin: boolean; stdinOnce?: boolean; log?: LogFile | JournalFields }
  /** One pipe for stdout and stderr, copied to our stdout: what is written keeps its order. Not of a monitor. */
  | { kind: 'pipe'; stdin: boolean; stdinOnce?: undefined; log?: undefined }
  /** A pty of the container's devpts; the helper relays, in raw mode when our stdin is a terminal. */
  | { kind: 'tty'; stdin: boolean; stdinOnce?: boolean; log?: LogFile | JournalFields };

/**
 * How this process serves a monitor that it forks to keep the container: `detached` waits until the command runs or has
 * failed; `attached` relays its streams and ends with the container's status. A run without one keeps the container itself.
 */
export interface Client {
  kind: 'detached' | 'attached';
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  /** The container has a terminal: ours is raw when stdin is relayed, and sizes are passed on. */
  tty: boolean;
  /** Signals sent to us go to the container; else they end us alone. */
  sigProxy: boolean;
  /** Bytes that, typed in this order, end the client. */
  detachKeys: Uint8Array;
  /** A line for stdout once the command runs; '' for none. */
  print: string;
  /** The line is printed too when it could not be started. */
  printOnFailure: boolean;
}

/** A helper program that connects the container's network namespace to the host. */
export interface NetworkHelper {
  kind: 'pasta' | 'slirp4netns';
  /** Absolute path of the program. */
  program: string;
  /**
   * Arguments after the program's name. `{netns}` and `{userns}` are replaced by paths of the container's namespaces,
   * `{ready-fd}` by the descriptor that tells that it is ready; within longer arguments as well. pasta runs as root of
   * the container's user namespace already.
   */
  args: string[];
  /**
   * slirp4netns alone: requests sent to its control socket once it is ready, one connection each; an answer that holds
   * `"error"` fails the start. The helper unlinks the socket afterwards.
   */
  api?: { socket: string; requests: string[] };
}

/** What is done when the container ends, and what ends it. */
export interface Lifetime {
  /** containers/<id>: the exit record, `pid` and the log live here. The caller holds its `lock` by `lockFd`. */
  containerDir: string;
  /** Descriptor whose flock says "alive"; the helper keeps it open for its whole life. */
  lockFd: number;
  /** Remove containerDir and `removePaths` at the end (--rm). */
  removeOnExit: boolean;
  /** Further paths to remove then: the name's symlink. */
  removePaths: string[];
  /** Kill the container after so many milliseconds (--timeout); 0: never. */
  timeoutMs: number;
  /** Die with the process that called us (PR_SET_PDEATHSIG): job scope. */
  dieWithParent: boolean;
  /** A pidfd of the process to die with, where that is not our parent. */
  parentFd?: number;
  /** What a monitor does when the command ends; 0 retries: without limit. */
  restart?: { kind: 'on-failure' | 'always'; maxRetries: number };
  /** File that gets the host pid of the container's init (--pidfile). */
  pidFile?: string;
}

/** The container's cgroup. The helper makes it, puts init into it before the exec, and removes it at the end. */
export interface CgroupPlan {
  /** Absolute directories, one a hierarchy; at least one. */
  groups: string[];
  version: 1 | 2;
  /** Set: `argv` has systemd put the process `{pid}` into a scope, in whose directory the group is then made. */
  scope?: { argv: string[]; dir: string; controllers: string[] };
  limits: CgroupWrite[];
  /** Content of containers/<id>/cgroup. */
  record: string;
  /** The file that counts kills for want of memory. */
  oomEvents?: string;
  /** The limit of memory in words, for the message of such a kill. */
  memoryLimit?: string;
  /** Say what is not honoured. */
  asked: boolean;
  /** What is not honoured ends the start. */
  required: boolean;
}

export interface CgroupWrite {
  /** What the user calls it: "--memory". */
  name: string;
  path: string;
  value: string;
  /** Where the kernel has no such file. */
  instead?: { path: string; value: string };
  /** Follows from another limit: nobody misses it where it cannot be set. */
  implied: boolean;
}

/** The group of a running container, for a process that joins it. */
export interface CgroupEntry {
  groups: string[];
  version: 1 | 2;
  /** Has systemd move `{pid}` to where it may go there from, where the kernel does not let us; empty: nobody can. */
  attach: string[];
}

/** What the helper tells `skiff events` (event_log.h); all but `log` are texts of store/event-log.ts. */
export interface PlanEvents {
  /** Path of the store's event log. */
  log: string;
  subject: string;
  /** Of the container's volumes, for each kind of event. */
  mounted: readonly string[];
  unmounted: readonly string[];
  destroyed: readonly string[];
}

/** A command that tells by its exit status whether the container is well, and when it is executed. Times of docker's rules. */
export interface HealthPlan {
  /** At least one. Everything else (user, environment, rights …) is that of the container's process. */
  args: string[];
  /** At least 1, but for the start period. */
  intervalMs: number;
  timeoutMs: number;
  startPeriodMs: number;
  startIntervalMs: number;
  /** So many failures one after the other mean unhealthy; at least 1. */
  retries: number;
  /** The time-out for people. */
  timeoutText: string;
  /** What is done with a container that has become unhealthy; `stop` and `restart` whatever its restart policy is. */
  action: 'none' | 'kill' | 'restart' | 'stop';
  /** For the last two. */
  stopSignal: number;
  /** Until it is killed; undefined: never. */
  stopTimeoutMs: number | undefined;
}

/** Everything the helper needs to start one more process in a container that runs. */
export interface ExecPlan {
  /** As the user typed it, for messages. */
  container: string;
  /** Host pid of the container's init, and field 22 of its /proc/PID/stat: the helper enters that process or none. */
  pid: number;
  startTicks: string;
  process: ContainerProcess;
  stdio: Stdio;
  /** Return as soon as the command runs; its stdio is /dev/null, or a terminal nobody reads. */
  detach: boolean;
  /** Bytes that leave a terminal when they are typed; empty: nothing does. At most 16. */
  detachKeys: Uint8Array;
  dieWithParent: boolean;
  /** undefined: the container has no group of its own. */
  cgroup?: CgroupEntry | undefined;
  events?: PlanEvents;
  /** Kill it, and what it has started, after so many milliseconds. */
  timeoutMs?: number;
}

export interface HelperPlan {
  namespaces: Namespaces;
  rootfs: RootFs;
  rootPropagation: Propagation;
  setup: SetupOp[];
  /** Needs a new uts namespace. */
  hostname?: string;
  domainname?: string;
  /** Written under /proc/sys inside the namespaces, before they become read-only: ['net.ipv4.ip_forward', '1']. */
  sysctls: [name: string, value: string][];
  process: ContainerProcess;
  stdio: Stdio;
  networkHelper?: NetworkHelper;
  lifetime: Lifetime;
  /** undefined: the container stays in our group. */
  cgroup?: CgroupPlan;
  /** Set: a monitor keeps the container. */
  client?: Client;
  health?: HealthPlan;
  /** How messages name the container's command: the argv[0] the user typed. */
  label: string;
  /** Unset: nobody is told. */
  events?: PlanEvents;
}
