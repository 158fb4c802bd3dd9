// Starts the unpacking of one layer in a child: skiff itself, re-executed as root of the user namespace whose ids the
// tree gets, or plainly when there is none. A child, so that layers use several cores and their memory goes with them.
// Protocol: messages.ts.

import { closeSync, createReadStream, openSync } from 'node:fs';
import { PassThrough, type Readable, type Writable } from 'node:stream';
import type { Digest } from '../../core/digest.ts';
import { EngineError } from '../../core/errors.ts';
import { isCompiled } from '../../native/addon.ts';
import { selfCommand } from '../../native/self.ts';
import { runInUserNamespace, type Child } from '../../native/launch.ts';
import type { IdMap } from '../../native/plan.ts';
import { completeHere, completeOwnRoot } from './complete.ts';
import { decodeReply, encodeComplete, encodeRequest, type UnpackRequest } from './messages.ts';
import { unpackHere } from './unpack-here.ts';

export interface UnpackOptions {
  /** For messages; what the bytes are is seen from themselves. */
  mediaType: string;
  /** What the digest of the uncompressed tar must be. */
  diffId: Digest;
  /** An existing, empty directory of ours. Half-full after an error. */
  dest: string;
  /**
   * The trees below, bottom first. Read only when the layer has files in directories that it does not list, and only
   * after its own bytes: so layers may be unpacked side by side, each with a promise for the trees below it.
   */
  lowerTrees: readonly string[] | Promise<readonly string[]>;
  idMap: IdMap | undefined;
}

export interface Unpacked {
  diffId: Digest;
  /** Content of the files, holes included. */
  sizeBytes: number;
  entries: number;
  /** What could not be honoured: one sentence each, for Log.warn. */
  notes: string[];
}

export interface Unpacking {
  /** Takes the compressed bytes. Destroying it, or ending it early, fails `done`. */
  input: Writable;
  /** Rejects with LAYER_INVALID, LAYER_PATH_ESCAPE, DIGEST_MISMATCH, NO_SPACE, IO, HOST_MISSING or CANCELLED. */
  done: Promise<Unpacked>;
  /** Ends the child; `done` rejects with CANCELLED. */
  cancel(): void;
}

/** The tree is complete in `dest` after `done`, not yet synced. */
export function startUnpack(options: UnpackOptions): Unpacking {
  if (options.idMap === undefined && !isCompiled()) {
    const input = new PassThrough();
    return { input, ...unpackWithoutChild(options, input) };
  }
  const { input, ...rest } = unpackInChild(options, 'pipe');
  return { input: input as Writable, ...rest };
}

/** The same from a file, which the child reads itself: nothing is copied through this process. */
export function startUnpackFile(options: UnpackOptions, file: string): Omit<Unpacking, 'input'> {
  if (options.idMap === undefined && !isCompiled())
    return unpackWithoutChild(options, createReadStream(file));
  const fd = openSync(file, 'r');
  try {
    const { done, cancel } = unpackInChild(options, fd);
    return { done, cancel };
  } finally {
    closeSync(fd);
  }
}

function unpackInChild(options: UnpackOptions, stdin: 'pipe' | number) {
  const { diffId, dest, idMap } = options;
  const child = startChild({ parent: process.pid, kind: 'unpack', diffId, dest }, idMap, stdin);
  let cancelled = false;
  const done = finish(child, options, () => cancelled);
  done.catch(() => {}); // the caller may look at it later
  // A child that gives up early breaks the pipe; its reply says why, the EPIPE does not.
  child.stdin?.on('error', () => {});
  const cancel = () => {
    cancelled = true;
    child.kill('SIGKILL');
  };
  return { input: child.stdin, done, cancel };
}

async function finish(child: Child, options: UnpackOptions, wasCancelled: () => boolean): Promise<Unpacked> {
  try {
    const { unlisted, ...result } = await replyOf(child, options.dest);
    const lowerTrees = unlisted.length > 0 ? await options.lowerTrees : [];
    if (lowerTrees.length > 0) await complete(options, unlisted, lowerTrees);
    return result;
  } catch (error) {
    if (!wasCancelled()) throw error;
    throw new EngineError('CANCELLED', `unpacking layer ${options.diffId}: cancelled`, { cause: error });
  }
}

/** The root, which few layers list, mostly is ours to set: no second child for it. */
async function complete(
  { dest, idMap }: UnpackOptions,
  unlisted: readonly string[],
  lowerTrees: readonly string[],
): Promise<void> {
  const request = { dest, unlisted, lowerTrees };
  if (completeOwnRoot(request)) return;
  const child = startChild({ parent: process.pid, kind: 'complete' }, idMap, 'pipe');
  child.stdin?.on('error', () => {}); // its reply, or its status, says why it did not listen
  child.stdin?.end(encodeComplete(request));
  await replyOf(child, dest);
}

function startChild(request: UnpackRequest, idMap: IdMap | undefined, stdin: number | 'pipe'): Child {
  return runInUserNamespace({
    idMap,
    argv: [...selfCommand('unpacking a layer'), '__unpack', encodeRequest(request)],
    stdio: [stdin, 'pipe', 'inherit'],
  });
}

async function replyOf(child: Child, dest: string) {
  const parts: Buffer[] = [];
  for await (const part of child.stdout as Readable) parts.push(part as Buffer);
  const { status } = await child.result;
  return decodeReply(Buffer.concat(parts).toString(), status, dest);
}

/** For tests and scripts that run the sources: the same work, here. */
function unpackWithoutChild(
  { diffId, dest, lowerTrees }: UnpackOptions,
  input: Readable,
): Omit<Unpacking, 'input'> {
  const run = async (): Promise<Unpacked> => {
    const { unlisted, ...result } = await unpackHere(input, diffId, dest);
    const trees = unlisted.length > 0 ? await lowerTrees : [];
    if (trees.length > 0) completeHere({ dest, unlisted, lowerTrees: trees });
    return result;
  };
  const done = run();
  done.catch(() => input.destroy());
  input.on('error', () => {});
  const cancel = () =>
    void input.destroy(new EngineError('CANCELLED', `unpacking layer ${diffId}: cancelled`));
  return { done, cancel };
}
