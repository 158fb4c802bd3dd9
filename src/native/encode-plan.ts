// HelperPlan → the bytes that native/helper/plan.cc reads: docs/dev/native-protocol.md, "The plan". Little endian, as
// every machine we build for. Strings go through core/bytes.ts and so arrive byte for byte.

import { encodeBytes } from '../core/bytes.ts';
import {
  writeCgroup,
  writeCgroupEntry,
  writeClient,
  writeEvents,
  writeHealth,
  writeLifetime,
} from './encode-keeping.ts';
import type {
  Client,
  ExecPlan,
  HelperPlan,
  IdMapping,
  MountFlags,
  NamespaceChoice,
  Namespaces,
  PlanEvents,
  Propagation,
  RootFs,
  SetupOp,
  UserNamespace,
} from './plan.ts';
import { Writer } from './plan-writer.ts';

/** Numbers of native/helper/plan.cc, `enum class Record`. */
const RECORD = {
  namespaces: 1,
  rootfs: 2,
  rootPropagation: 3,
  setup: 4,
  hostname: 5,
  sysctls: 6,
  process: 7,
  seccomp: 8,
  rlimits: 9,
  stdio: 10,
  networkHelper: 11,
  lifetime: 12,
  label: 13,
  command: 14,
  remove: 15,
  execSession: 16,
  client: 17,
  cgroup: 18,
  events: 19,
  health: 20,
} as const;

const PROPAGATIONS: readonly Propagation[] = ['private', 'rprivate', 'slave', 'rslave', 'shared', 'rshared'];
const CREATE_TARGETS = ['dir', 'file', 'none'] as const;
const OPS: readonly SetupOp['op'][] = [
  'proc',
  'sysfs',
  'cgroup',
  'devpts',
  'mqueue',
  'tmpfs',
  'bind',
  'file',
  'device',
  'symlink',
  'mask',
  'readonly',
  'remount-root-readonly',
];

/** What mode `userns` of the helper does: execute `argv` (argv[0] is a host path) as root of a user namespace. */
export interface UserNamespaceCommand {
  user: UserNamespace;
  argv: readonly string[];
  /** Die with the calling process. */
  dieWithParent: boolean;
  /** A root file system for the command to work on, seen by it alone. */
  root?: MountedRoot | undefined;
}

/** Mounted at `<containerDir>/root`, as for a container; `containerDir` itself is hidden by that. */
export interface MountedRoot {
  rootfs: RootFs;
  containerDir: string;
  setup: readonly SetupOp[];
  /** What is written to an overlay need not survive a power cut: no wait for the disk at the end. */
  isTemporary?: boolean;
}

/** What mode `remove` does: delete host paths, whoever owns what is in them. Missing paths are no error. */
export interface RemoveCommand {
  user: UserNamespace;
  paths: readonly string[];
}

/** @throws IO when a string holds a NUL byte, which no system call could take. */
export function encodePlan(plan: HelperPlan): Buffer {
  const w = new Writer();
  w.record(RECORD.namespaces, () => writeNamespaces(w, plan.namespaces));
  w.record(RECORD.rootfs, () => writeRootFs(w, plan.rootfs));
  w.record(RECORD.rootPropagation, () => w.choice(PROPAGATIONS, plan.rootPropagation));
  w.record(RECORD.setup, () => w.list(plan.setup, (op) => writeOp(w, op)));
  w.record(RECORD.hostname, () => {
    w.str(plan.hostname ?? '');
    w.str(plan.domainname ?? '');
  });
  w.record(RECORD.sysctls, () =>
    w.list(plan.sysctls, ([name, value]) => {
      w.str(name);
      w.str(value);
    }),
  );
  writeCommand(w, plan);
  const network = plan.networkHelper;
  if (network !== undefined) {
    w.record(RECORD.networkHelper, () => {
      w.choice(['none', 'pasta', 'slirp4netns'], network.kind);
      w.str(network.program);
      w.list(network.args, (arg) => w.str(arg));
      w.str(network.api?.socket ?? '');
      w.list(network.api?.requests ?? [], (request) => w.str(request));
    });
  }
  w.record(RECORD.lifetime, () => writeLifetime(w, plan.lifetime));
  const { client, cgroup, events, health } = plan;
  if (cgroup !== undefined) w.record(RECORD.cgroup, () => writeCgroup(w, cgroup));
  if (client !== undefined) w.record(RECORD.client, () => writeClient(w, client));
  if (health !== undefined) w.record(RECORD.health, () => writeHealth(w, health));
  w.record(RECORD.label, () => w.str(plan.label));
  if (events !== undefined) w.record(RECORD.events, () => writeEvents(w, events));
  return w.finish();
}

/** Plan of the helper's mode `attach`: become a client of the monitor that keeps containers/<id>. */
export function encodeAttachCommand(
  client: Client,
  containerDir: string,
  label: string,
  events?: PlanEvents,
): Buffer {
  const w = new Writer();
  w.record(RECORD.lifetime, () => writeLifetime(w, { ...NO_LIFETIME, containerDir }));
  w.record(RECORD.client, () => writeClient(w, client));
  w.record(RECORD.label, () => w.str(label));
  if (events !== undefined) w.record(RECORD.events, () => writeEvents(w, events));
  return w.finish();
}

/** Plan of the helper's mode `exec`. @throws IO as encodePlan does */
export function encodeExecPlan(plan: ExecPlan): Buffer {
  const w = new Writer();
  writeCommand(w, plan);
  const { dieWithParent, timeoutMs = 0 } = plan;
  w.record(RECORD.lifetime, () => writeLifetime(w, { ...NO_LIFETIME, dieWithParent, timeoutMs }));
  w.record(RECORD.execSession, () => {
    w.str(plan.container);
    w.u32(plan.pid);
    w.u64(BigInt(plan.startTicks));
    w.flag(plan.detach);
    w.blob(plan.detachKeys);
  });
  const { cgroup, events } = plan;
  if (cgroup !== undefined) w.record(RECORD.cgroup, () => writeCgroupEntry(w, cgroup));
  if (events !== undefined) w.record(RECORD.events, () => writeEvents(w, events));
  return w.finish();
}

/** Plan of the helper's mode `userns`. */
export function encodeUserNamespaceCommand({
  user,
  argv,
  dieWithParent,
  root,
}: UserNamespaceCommand): Buffer {
  const w = new Writer();
  const containerDir = root?.containerDir ?? '';
  w.record(RECORD.namespaces, () => writeNamespaces(w, onlyUser(user)));
  if (root !== undefined) {
    w.record(RECORD.rootfs, () => writeRootFs(w, root.rootfs));
    w.record(RECORD.setup, () => w.list(root.setup, (op) => writeOp(w, op)));
  }
  const removeOnExit = root?.isTemporary === true;
  w.record(RECORD.lifetime, () =>
    writeLifetime(w, { ...NO_LIFETIME, containerDir, dieWithParent, removeOnExit }),
  );
  w.record(RECORD.command, () => w.list(argv, (arg) => w.str(arg)));
  return w.finish();
}

/** Plan of the helper's mode `remove`. */
export function encodeRemoveCommand({ user, paths }: RemoveCommand): Buffer {
  const w = new Writer();
  w.record(RECORD.namespaces, () => writeNamespaces(w, onlyUser(user)));
  w.record(RECORD.remove, () => w.list(paths, (path) => w.str(path)));
  return w.finish();
}

const NO_LIFETIME: HelperPlan['lifetime'] = {
  containerDir: '',
  lockFd: -1,
  removeOnExit: false,
  removePaths: [],
  timeoutMs: 0,
  dieWithParent: false,
};

function onlyUser(user: UserNamespace): Namespaces {
  const host: NamespaceChoice = { kind: 'host' };
  return { user, pid: host, net: host, ipc: host, uts: host, cgroup: host };
}

/** The records of what is executed and what it is connected to. */
function writeCommand(w: Writer, { process, stdio }: Pick<HelperPlan, 'process' | 'stdio'>): void {
  w.record(RECORD.process, () => writeProcess(w, process));
  w.record(RECORD.seccomp, () => writeSeccomp(w, process.seccomp));
  w.record(RECORD.rlimits, () =>
    w.list(process.rlimits, ({ resource, soft, hard }) => {
      w.u32(resource);
      w.u64(soft);
      w.u64(hard);
    }),
  );
  w.record(RECORD.stdio, () => {
    w.choice(['inherit', 'pipes', 'tty', 'pipe'], stdio.kind);
    w.flag(stdio.stdin);
    const { stdinOnce, log } = stdio.kind === 'inherit' ? {} : stdio;
    const file = log !== undefined && 'path' in log ? log : undefined;
    w.flag(stdinOnce === true);
    w.str(file?.path ?? '');
    w.u64(BigInt(file?.maxSizeBytes ?? 0));
    w.u32(file?.maxFiles ?? 1);
    w.blob(log !== undefined && 'journal' in log ? log.journal : new Uint8Array());
  });
}

function writeNamespaces(w: Writer, ns: Namespaces): void {
  const user = ns.user;
  w.choice(['host', 'newidmap', 'self', 'join'], user.kind === 'new' ? user.via : user.kind);
  w.str(user.kind === 'join' ? user.path : '');
  const map = user.kind === 'new' ? user.map : { uid: [], gid: [] };
  writeMappings(w, map.uid);
  writeMappings(w, map.gid);
  for (const choice of [ns.pid, ns.net, ns.ipc, ns.uts, ns.cgroup]) {
    w.choice(['new', 'host', 'join'], choice.kind);
    w.str(choice.kind === 'join' ? choice.path : '');
  }
}

function writeMappings(w: Writer, mappings: readonly IdMapping[]): void {
  w.list(mappings, ({ containerID, hostID, size }) => {
    w.u32(containerID);
    w.u32(hostID);
    w.u32(size);
  });
}

function writeRootFs(w: Writer, root: RootFs): void {
  const overlay = root.kind === 'overlay' ? root : undefined;
  w.flag(overlay !== undefined);
  w.flag(root.noDev);
  w.list(overlay?.lower ?? [], (path) => w.str(path));
  w.str(overlay?.upper ?? '');
  w.str(overlay?.work ?? '');
  w.str(root.kind === 'bind' ? root.path : '');
}

/** Every operation has the same fields on the wire; those it does not use are empty. */
function writeOp(w: Writer, op: SetupOp): void {
  w.choice(OPS, op.op);
  w.str(op.op === 'remount-root-readonly' ? '/' : op.target);
  w.str(op.op === 'bind' ? op.source : op.op === 'device' ? op.path : op.op === 'symlink' ? op.to : '');
  w.str(op.op === 'tmpfs' ? op.data : op.op === 'bind' ? (op.subpath ?? '') : '');
  w.blob(op.op === 'file' ? encodeBytes(op.content) : new Uint8Array());
  w.u32(flagBits(flagsOf(op)));
  w.flag(op.op === 'bind' && op.recursive);
  w.choice(PROPAGATIONS, op.op === 'bind' ? op.propagation : 'rprivate');
  w.choice(CREATE_TARGETS, op.op === 'bind' ? op.create : 'none');
  w.u32(op.op === 'file' ? op.mode : 0);
  w.u32(op.op === 'file' ? (op.uid ?? 0) : 0);
  w.u32(op.op === 'file' ? (op.gid ?? 0) : 0);
}

function flagsOf(op: SetupOp): MountFlags {
  if (op.op === 'tmpfs' || op.op === 'bind') return op.flags;
  if (op.op === 'sysfs' || op.op === 'cgroup' || op.op === 'file') return { readOnly: op.readOnly };
  return {};
}

function flagBits({ readOnly, noSuid, noDev, noExec }: MountFlags): number {
  return (
    (readOnly === true ? 1 : 0) |
    (noSuid === true ? 2 : 0) |
    (noDev === true ? 4 : 0) |
    (noExec === true ? 8 : 0)
  );
}

function writeProcess(w: Writer, p: HelperPlan['process']): void {
  w.list(p.args, (arg) => w.str(arg));
  w.list(p.env, (entry) => w.str(entry));
  w.str(p.cwd);
  w.flag(p.createCwd);
  w.u32(p.containerUid);
  w.u32(p.containerGid);
  w.list(p.additionalGids, (gid) => w.u32(gid));
  w.flag(p.keepGroups);
  const { bounding, effective, permitted, inheritable, ambient } = p.capabilities;
  for (const set of [bounding, effective, permitted, inheritable, ambient]) w.u64(set);
  w.flag(p.noNewPrivileges);
  w.flag(p.init);
  w.flag(p.oomScoreAdj !== undefined);
  w.u32(p.oomScoreAdj ?? 0);
  w.flag(p.emulateIds === true);
}

function writeSeccomp(w: Writer, seccomp: HelperPlan['process']['seccomp']): void {
  w.choice(['default', 'unconfined', 'filter'], typeof seccomp === 'string' ? seccomp : 'filter');
  w.blob(typeof seccomp === 'string' ? new Uint8Array() : seccomp);
}
