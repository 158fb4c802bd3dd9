// Typed binding of the N-API addon (native/addon) and its loader. Under Node (tests, scripts) the module is loaded from
// build/Release. In the compiled binary it is embedded, and dlopen needs a file: it is written to one without a name
// (O_TMPFILE), which nobody else can open, replace or guess, and loaded through /proc/self/fd.

import { closeSync, constants, fstatSync, openSync, readFileSync, writeSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { EngineError, errnoOf } from '../core/errors.ts';

/** Space of a file system; `files` is 0 where inodes are not counted (btrfs). */
export interface Space {
  type: number;
  sizeBytes: number;
  /** For ordinary users: without the blocks reserved for root. */
  availableBytes: number;
  files: number;
  freeFiles: number;
}

/** Result of `Tree.stat`: mode with the type bits of stat(2). */
export type TreeStat = [
  mode: number,
  uid: number,
  gid: number,
  size: number,
  rdevMajor: number,
  rdevMinor: number,
  nlink: number,
];

/**
 * A directory tree being filled from an archive; see native/addon/tree.h. Paths are *byte strings* (one UTF-16 unit per
 * byte, `latin1`), relative, normalised ("a/b"; "" is the root where said). Parents must exist; no call follows a
 * symbolic link or leaves the tree: a path through a link fails with ELOOP or ENOTDIR, an existing target with EEXIST.
 * Ids and modes are container ids (those of our user namespace). The functions that return a boolean say whether the
 * owner could be set; false means that it is not mapped. Errors are Node-like system errors.
 */
export interface Tree {
  /** Once, for a fresh tree: takes setgid off the root and sets the *process's* umask to 0, which other calls rely on. */
  prepare(): void;
  writeFile(
    path: string,
    mode: number,
    uid: number,
    gid: number,
    mtimeSec: number,
    mtimeNsec: number,
    data: Uint8Array,
    offset: number,
    length: number,
  ): boolean;
  /** One file at a time: begin, write…, finish. */
  begin(path: string, mode: number): void;
  /** `position` -1: where the last write ended. */
  write(data: Uint8Array, offset: number, length: number, position: number): void;
  /** `size` >= 0 sets the length (a hole at the end), -1 leaves it. */
  finish(size: number, mode: number, uid: number, gid: number, mtimeSec: number, mtimeNsec: number): boolean;
  /** Mode 0700 until `setDir`. False: something is there. */
  makeDir(path: string): boolean;
  setDir(path: string, mode: number, uid: number, gid: number, mtimeSec: number, mtimeNsec: number): boolean;
  symlink(
    path: string,
    target: string,
    uid: number,
    gid: number,
    mtimeSec: number,
    mtimeNsec: number,
  ): boolean;
  link(existing: string, path: string): void;
  /** `mode` with type bits: fifo, character or block device. A whiteout is character device 0:0. */
  makeNode(
    path: string,
    mode: number,
    major: number,
    minor: number,
    uid: number,
    gid: number,
    mtimeSec: number,
    mtimeNsec: number,
  ): boolean;
  setXattr(path: string, name: string, value: Uint8Array): void;
  stat(path: string): TreeStat | undefined;
  /** Whatever it is, with everything below. */
  remove(path: string): void;
  /** Never replaces: EEXIST. */
  rename(from: string, to: string): void;
  readlink(path: string): string;
  /**
   * What is in a directory, in no order: names joined by "/", and for each TREE_LIST_FIELDS.length numbers. "" is the root.
   */
  list(path: string): [names: string, fields: Float64Array];
  /** A descriptor (close-on-exec) to read by; the caller closes it. A fifo or device in its place does not block. */
  open(path: string): number;
  /**
   * Between begin and finish: the first `size` bytes of `fd`, sharing blocks where the file system can, holes kept. Returns
   * how many bytes there were. Moves the descriptor's position.
   */
  copy(fd: number, size: number): number;
  /**
   * SHA-256 of files, 32 bytes each, by a thread of the pool, and what each was meanwhile (stampOf of
   * builder/context/directory-tree.ts), a space between; '' for one that could not be read or did not hold still, or is no file.
   * Undefined: this processor would take longer than the runtime does.
   */
  hashFiles(paths: readonly string[]): Promise<[digests: Uint8Array, stamps: string]> | undefined;
  /**
   * New files with the content of others, by a thread of the pool. stamps: what they must be before and after. numbers: for
   * each of them mode, uid, gid, mtimeSec, mtimeNsec. Resolves with a byte for each: 0, when it could not be copied just so,
   * for whatever reason; nothing of it is left then.
   */
  copyFiles(
    source: Tree,
    from: readonly string[],
    to: readonly string[],
    stamps: readonly string[],
    numbers: Float64Array,
  ): Promise<Uint8Array>;
  close(): void;
}

/** Of each name that `Tree.list` returns. mode has the type bits; devices are as makedev(3) packs them; ino in halves. */
export const TREE_LIST_FIELDS = [
  'mode',
  'uid',
  'gid',
  'size',
  'rdev',
  'nlink',
  'dev',
  'inoHigh',
  'inoLow',
  'mtimeSec',
  'mtimeNsec',
  'ctimeSec',
  'ctimeNsec',
] as const;

export interface Addon {
  /** flock(2). False: `nonblocking` and somebody else holds it. */
  flock(fd: number, mode: 'shared' | 'exclusive' | 'unlock', nonblocking: boolean): boolean;
  /**
   * Of each of `names`, folders in `dir`, in turn: whether somebody holds its file `lock` exclusively (a missing one is
   * free), then the texts of its `files`, in that order; undefined for what is not there.
   */
  readFolders(
    dir: Uint8Array,
    names: readonly string[],
    lock: string,
    files: readonly string[],
  ): (boolean | string | undefined)[];
  /** Atomic publication. False: `to` exists already. */
  renameNoReplace(from: Uint8Array, to: Uint8Array): boolean;
  syncfs(fd: number): void;
  statfs(path: Uint8Array): Space;
  fstatfs(fd: number): Space;
  /**
   * Offsets and lengths of what is no hole in the first `size` bytes, by turns. Undefined: holes cannot be asked for, or
   * there are too many. Moves the descriptor's position.
   */
  dataExtents(fd: number, size: number): number[] | undefined;
  /** Undefined: no such attribute, or none on this file system. */
  lgetxattr(path: Uint8Array, name: string): Buffer | undefined;
  llistxattr(path: Uint8Array): string[];
  lsetxattr(path: Uint8Array, name: string, value: Uint8Array): void;
  /** Appends `{"time":…,members}` to an event log (native/common/event_file.h). False: it could not be written. */
  appendEvent(path: Uint8Array, members: Uint8Array): boolean;
  /**
   * A descriptor (close-on-exec) of `path` for reading, every link in it resolved below the directory `root`; a fifo does
   * not wait. Undefined: nothing is there, or nothing we may read. ENOSYS: no openat2(2), or a sandbox that forbids it.
   */
  openInRoot(root: number, path: Uint8Array): number | undefined;
  /** A descriptor of the helper executable in a sealed memfd, close-on-exec; the caller closes it. */
  helperImage(): number;
  /** A descriptor of `bytes` in a sealed memfd, close-on-exec; the caller closes it. */
  sealedMemfd(bytes: Uint8Array): number;
  setCloseOnExec(fd: number, on: boolean): void;
  /** This process becomes the helper: argv (+ the number of the plan's descriptor), env, plan. Returns only by throwing. */
  launch(argv: Uint8Array[], env: Uint8Array[], plan: Uint8Array, keepFds: number[]): never;
  /** From now on this process is killed when `pid`, which started it, ends. False: that has ended already. */
  dieWithParent(pid: number): boolean;
  /** Undefined: no such process. */
  pidfdOpen(pid: number): number | undefined;
  /** Whether nobody is left at the other end of a pipe, a socket or a terminal. */
  isHungUp(fd: number): boolean;
  /** False: the process is gone. told: whoever keeps a container is not to log it as an event, since we have. */
  pidfdSendSignal(pidfd: number, signal: number, told: boolean): boolean;
  /**
   * Takes a directory descriptor, which it does not keep. live: the tree is in use rather than being made; mount points
   * in it are entered, and `prepare` is not called.
   */
  Tree: new (rootFd: number, live?: boolean) => Tree;
}

let loaded: Addon | undefined;
let embedded: string | undefined;

/** Where the compiled binary has the addon's code: embedded.ts. */
export function setEmbeddedAddon(file: string): void {
  embedded = file;
}

/** The addon, loaded at the first call. @throws HOST_MISSING when no directory can hold its code. */
export function addon(): Addon {
  loaded ??=
    isCompiled() && embedded !== undefined
      ? loadEmbedded(embedded)
      : load(fileURLToPath(new URL('../../build/Release/addon.node', import.meta.url)));
  return loaded;
}

/** Whether this is the single-file build, whose sources are in a virtual file system. */
export function isCompiled(): boolean {
  return import.meta.url.includes('/$bunfs/');
}

function load(path: string): Addon {
  const module = { exports: {} };
  process.dlopen(module, path);
  return module.exports as Addon;
}

function loadEmbedded(file: string): Addon {
  const code = readFileSync(file);
  const failures: string[] = [];
  for (const dir of codeDirs()) {
    try {
      return loadThrough(dir, code);
    } catch (error) {
      // Read-only, full, noexec, without O_TMPFILE, hidden by a sandbox …: each has its own errno; dlopen has text alone.
      failures.push(`${dir} (${errnoOf(error) ?? 'no code may be mapped from there'})`);
    }
  }
  throw new EngineError(
    'HOST_MISSING',
    `loading the native part: no usable directory: ${failures.join(', ')}`,
    {
      hint: 'set XDG_RUNTIME_DIR to a directory of your own on a file system that is writable and not mounted noexec',
    },
  );
}

/** In order of preference: memory before disk. */
function codeDirs(): Set<string> {
  const { XDG_RUNTIME_DIR, TMPDIR, HOME } = process.env;
  const dirs = [XDG_RUNTIME_DIR, '/dev/shm', TMPDIR, '/tmp', '/var/tmp', HOME];
  return new Set([...dirs.filter((dir) => dir?.startsWith('/') === true), '.'] as string[]);
}

/** O_TMPFILE of open(2), which node:fs does not name; O_DIRECTORY is part of it. */
const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY;

function loadThrough(dir: string, code: Uint8Array): Addon {
  const fd = openSync(dir, O_TMPFILE | constants.O_RDWR, 0o600);
  try {
    for (let done = 0; done < code.length;) done += writeSync(fd, code, done);
    if (fstatSync(fd).size !== code.length) throw new Error('short write');
    return load(`/proc/self/fd/${fd}`);
  } finally {
    closeSync(fd); // the mapping keeps the code
  }
}
