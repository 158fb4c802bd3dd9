// Starts the native helper in its modes (docs/dev/native-protocol.md): `run`, `exec` and `attach` replace this process,
// `run` also beside it for a monitor; `userns` and `remove` run beside it. The helper comes from a sealed memfd of the
// addon, the plan goes to it as a sealed memfd
// whose number is the last argument. It gets a minimal environment: what it needs to find newuidmap and to say more.

import type * as childProcessModule from 'node:child_process';
import type { ChildProcess, StdioOptions } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { encodeBytes } from '../core/bytes.ts';
import { EngineError } from '../core/errors.ts';
import { addon } from './addon.ts';
import {
  encodeAttachCommand,
  encodeExecPlan,
  encodePlan,
  encodeRemoveCommand,
  encodeUserNamespaceCommand,
  type MountedRoot,
} from './encode-plan.ts';
import type { Client, ExecPlan, HelperPlan, IdMap, PlanEvents, UserNamespace } from './plan.ts';

const HELPER_VARIABLES = ['PATH', 'SKIFF_DEBUG'];

/** How a child ended: its exit status, or 128 + the number of the signal. */
export interface ChildResult {
  status: number;
  signal: NodeJS.Signals | null;
}

export interface Child {
  pid: number | undefined;
  /** null unless 'pipe' was asked for. */
  stdin: Writable | null;
  stdout: Readable | null;
  stderr: Readable | null;
  /** Rejects when the program could not be started at all. */
  result: Promise<ChildResult>;
  kill(signal: NodeJS.Signals): void;
}

/**
 * Becomes the helper that runs `plan`: same pid, stdio untouched, every other descriptor closed but the plan's lock and
 * `keepFds`. Flush everything before. @throws a system error when the exec fails; never returns otherwise.
 */
export function launchContainer(plan: HelperPlan, keepFds: readonly number[] = []): never {
  const bytes = encodePlan(plan);
  const kept = new Set([...keepFds, ...(plan.lifetime.lockFd >= 0 ? [plan.lifetime.lockFd] : [])]);
  return addon().launch(['skiff', 'run'].map(encodeBytes), helperEnvironment(), bytes, [...kept]);
}

/** Becomes a client of the monitor that keeps `containerDir`; `name` is for messages. @throws as launchContainer */
export function launchClient(client: Client, containerDir: string, name: string, events: PlanEvents): never {
  const plan = encodeAttachCommand(client, containerDir, name, events);
  return addon().launch(['skiff', 'attach'].map(encodeBytes), helperEnvironment(), plan, []);
}

/** Numbers of the descriptors that startMonitor hands over: what `plan.lifetime` is to name. */
export const MONITOR_LOCK_FD = 4;
export const MONITOR_PARENT_FD = 5;

/**
 * Starts the monitor of `plan`, which has a detached client, beside this process. The caller closes its own copies of
 * `lockFd` and `parentFd`.
 * @returns the status of the start, 0 once the command runs; what failed is on our stderr, the client's line on stdout
 */
export async function startMonitor(plan: HelperPlan, lockFd: number, parentFd?: number): Promise<number> {
  const more = parentFd === undefined ? [lockFd] : [lockFd, parentFd];
  const child = spawnHelper('run', encodePlan(plan), ['ignore', 'inherit', 'inherit'], process.env, more);
  return (await child.result).status;
}

/** Becomes the helper that starts one more process in a container: as launchContainer, which see. */
export function launchExec(plan: ExecPlan): never {
  return addon().launch(['skiff', 'exec'].map(encodeBytes), helperEnvironment(), encodeExecPlan(plan), []);
}

/**
 * Runs `plan` beside this process with nothing on its stdin and stdout, as `doctor` does to see what works.
 * stderr: what the helper and the container said.
 */
export async function tryContainer(plan: HelperPlan): Promise<ChildResult & { stderr: string }> {
  const child = spawnHelper('run', encodePlan(plan), ['ignore', 'ignore', 'pipe'], process.env);
  const said: Buffer[] = [];
  child.stderr?.on('data', (chunk: Buffer) => said.push(chunk));
  const result = await child.result;
  return { ...result, stderr: Buffer.concat(said).toString().trim() };
}

/** Starts one more process in a container beside this one; its input is empty, and what it writes comes by pipes. */
export function startExec(plan: ExecPlan): Child {
  return spawnHelper('exec', encodeExecPlan(plan), ['ignore', 'pipe', 'pipe'], process.env);
}

/**
 * Starts `plan` beside this process, which it dies with, on the streams that `stdio` says. `dirs` are descriptors of
 * directories that the plan may name as `inheritedPath(i)`: they mean the same directory whatever its name is by then. The
 * caller closes its own.
 */
export function startContainer(plan: HelperPlan, stdio: StdioOptions, dirs: readonly number[] = []): Child {
  // Ourselves: who asks for its parent after that has been killed learns of another one.
  const self = addon().pidfdOpen(process.pid);
  if (self === undefined) throw new Error('a process that runs has a pidfd');
  const lifetime = { ...plan.lifetime, parentFd: 4 + dirs.length };
  try {
    return spawnHelper('run', encodePlan({ ...plan, lifetime }), stdio, process.env, [...dirs, self]);
  } finally {
    closeSync(self);
  }
}

/** How a plan names the i-th directory that the helper inherits. */
export function inheritedPath(index: number): string {
  return `/proc/self/fd/${4 + index}`;
}

export interface InNamespaceOptions {
  /** Undefined: no user namespace, the command is simply started. */
  idMap: IdMap | undefined;
  /** Path of an existing user namespace with that map, to join instead of making one. */
  joined?: string | undefined;
  /** Mounted for the command alone, in a mount namespace of its own. */
  root?: MountedRoot | undefined;
  /** argv[0] is an absolute host path. */
  argv: readonly string[];
  stdio?: StdioOptions;
  /** Undefined: ours. */
  env?: NodeJS.ProcessEnv;
  /** As of startContainer, for the root. */
  dirs?: readonly number[];
}

/** Starts a program as root of a new user namespace with that map. It dies with us. */
export function runInUserNamespace({
  idMap,
  joined,
  root,
  argv,
  stdio = 'inherit',
  env = process.env,
  dirs = [],
}: InNamespaceOptions): Child {
  const [program = '', ...args] = argv;
  if (idMap === undefined && root === undefined && dirs.length === 0)
    return handleOf(childProcess().spawn(program, args, { stdio, env }));
  const plan = encodeUserNamespaceCommand({ user: userOf(idMap, joined), argv, dieWithParent: true, root });
  return spawnHelper('userns', plan, stdio, env, dirs);
}

function userOf(idMap: IdMap | undefined, joined: string | undefined): UserNamespace {
  if (idMap === undefined) return { kind: 'host' };
  return joined === undefined ? newUserNamespace(idMap) : { kind: 'join', path: joined };
}

/**
 * Deletes `paths` with everything below, whichever mapped id owns it. Missing paths are no error.
 * @throws IO when something could not be deleted; the helper has named it on stderr.
 */
export async function removeTrees(paths: readonly string[], idMap: IdMap | undefined): Promise<void> {
  if (paths.length === 0) return;
  const user: UserNamespace = idMap === undefined ? { kind: 'host' } : newUserNamespace(idMap);
  const child = spawnHelper(
    'remove',
    encodeRemoveCommand({ user, paths }),
    ['ignore', 'ignore', 'pipe'],
    process.env,
  );
  const said: Buffer[] = [];
  child.stderr?.on('data', (chunk: Buffer) => said.push(chunk));
  const { status } = await child.result;
  if (status === 0) return;
  const why = Buffer.concat(said).toString().trim() || `the helper ended with ${status}`;
  throw new EngineError('IO', `removing ${paths.map((path) => JSON.stringify(path)).join(', ')}: ${why}`);
}

export function removeTree(path: string, idMap: IdMap | undefined): Promise<void> {
  return removeTrees([path], idMap);
}

/**
 * Who may write the map: real root can itself, and so can everybody who maps one id, their own; any other map needs
 * newuidmap and newgidmap (user_namespaces(7), "Defining user and group ID mappings").
 */
export function newUserNamespace(map: IdMap): UserNamespace {
  const single =
    [...map.uid, ...map.gid].every(({ size }) => size === 1) && map.uid.length === 1 && map.gid.length === 1;
  return { kind: 'new', map, via: single || process.geteuid?.() === 0 ? 'self' : 'newidmap' };
}

function helperEnvironment(): Buffer[] {
  const set = HELPER_VARIABLES.filter((name) => process.env[name] !== undefined);
  return set.map((name) => encodeBytes(`${name}=${process.env[name]}`));
}

/**
 * node:child_process forks without running JavaScript in between. /proc/self/fd/N names the child's own copy of the
 * memfd there, so that ours can stay close-on-exec and be closed at once. The plan becomes descriptor 3, `more` those from 4 on;
 * the memfd is none of these.
 */
function spawnHelper(
  mode: 'run' | 'exec' | 'userns' | 'remove',
  plan: Uint8Array,
  stdio: StdioOptions,
  env: NodeJS.ProcessEnv,
  more: readonly number[] = [],
): Child {
  const native = addon();
  const images = imagesAbove(3 + more.length, native.helperImage());
  const image = images.at(-1) as number;
  const planFd = native.sealedMemfd(plan);
  try {
    const three = typeof stdio === 'string' ? [stdio, stdio, stdio] : stdio.slice(0, 3);
    const child = childProcess().spawn(`/proc/self/fd/${image}`, [mode, '3'], {
      argv0: 'skiff',
      stdio: [...three, planFd, ...more],
      env,
    });
    return handleOf(child);
  } finally {
    images.forEach(closeSync);
    closeSync(planFd);
  }
}

/** The image again until its last descriptor is one that the child does not give to something else before it executes it. */
function imagesAbove(highest: number, image: number): number[] {
  const images = [image];
  for (let last = image; last <= highest; images.push(last)) last = openSync(`/proc/self/fd/${last}`, 'r');
  return images;
}

/** Loaded when asked for: it takes 0.8 ms, and `run` only execs. */
function childProcess(): typeof childProcessModule {
  return process.getBuiltinModule('node:child_process');
}

function handleOf(child: ChildProcess): Child {
  const result = new Promise<ChildResult>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) =>
      resolve({ status: code ?? 128 + constants.signals[signal ?? 'SIGKILL'], signal }),
    );
  });
  result.catch(() => {}); // whoever awaits it hears of it; nobody may have to
  return {
    pid: child.pid,
    stdin: child.stdin,
    stdout: child.stdout,
    stderr: child.stderr,
    result,
    kill: (signal) => void child.kill(signal),
  };
}
