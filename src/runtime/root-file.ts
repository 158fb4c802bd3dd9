// Reads a small file out of a root filesystem that is not mounted: a stack of overlay lower trees, or one directory.
// Symbolic links resolve inside the stack and never on the host (an image's /etc/passwd may be a link to anything),
// whiteouts and opaque directories count (kernel overlayfs: "Whiteouts and opaque directories").

import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync, readlinkSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { errnoOf } from '../core/errors.ts';

/** Larger files are no account databases. */
const MAX_BYTES = 16 * 1024 * 1024;
const MAX_LINKS = 40; // as the kernel's own limit

export interface RootStack {
  /** Host paths, topmost first. */
  trees: readonly string[];
  /** True when the directory hides the same one in the trees below (xattr user.overlay.opaque=y). */
  isOpaque: (hostPath: string) => boolean;
}

/**
 * Bytes of the regular file at the container path, or undefined when nothing readable is there: missing, hidden,
 * a directory, a device, not permitted, too many links, larger than 16 MiB.
 */
export function readRootFile(stack: RootStack, containerPath: string): Buffer | undefined {
  const hostPath = findInRoot(stack, containerPath);
  if (hostPath === undefined) return undefined;
  let fd: number;
  try {
    // O_NONBLOCK: a fifo must not stop us. O_NOFOLLOW: what was just seen as a file stays one.
    fd = openSync(hostPath, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (errnoOf(error) !== undefined) return undefined;
    throw error;
  }
  try {
    const stat = fstatSync(fd);
    return stat.isFile() && stat.size <= MAX_BYTES ? readFileSync(fd) : undefined;
  } finally {
    closeSync(fd);
  }
}

/** Host path of the non-directory that the container would see there, all links resolved inside; else undefined. */
function findInRoot(stack: RootStack, containerPath: string): string | undefined {
  let todo = containerPath.split('/').reverse();
  const root = [...stack.trees];
  let parents: string[][] = [];
  let here = root;
  let links = 0;
  while (todo.length > 0) {
    const name = todo.pop() as string;
    if (name === '' || name === '.') continue;
    if (name === '..') {
      here = parents.pop() ?? root; // ".." of the root is the root
      continue;
    }
    const found = lookUp(here, name, stack.isOpaque);
    if (found === undefined) return undefined;
    if (found.kind === 'dir') {
      parents.push(here);
      here = found.paths;
    } else if (found.kind === 'link') {
      if (++links > MAX_LINKS) return undefined;
      const target = readlinkSync(found.path);
      if (target.startsWith('/')) {
        here = root;
        parents = [];
      }
      todo = [...todo, ...target.split('/').reverse()];
    } else {
      return todo.some((rest) => rest !== '') ? undefined : found.path;
    }
  }
  return undefined;
}

export interface Step {
  /** Real container path, without a slash at its start. */
  path: string;
  /** Of the topmost tree that has it; undefined: nothing is there. */
  hostPath: string | undefined;
}

/** All directories on the way to a container path, links followed, and what is there or would be. A circle ends it. */
export function traceInRoot(stack: RootStack, containerPath: string): Step[] {
  const todo = containerPath.split('/').reverse();
  const root = [...stack.trees];
  const steps: Step[] = [];
  /** Name and merged directory of each part of the real path so far. */
  let at: { name: string; dirs: readonly string[] }[] = [];
  let links = 0;
  while (todo.length > 0) {
    const name = todo.pop() as string;
    if (name === '' || name === '.') continue;
    if (name === '..') {
      at.pop();
      continue;
    }
    const found = lookUp(at.at(-1)?.dirs ?? root, name, stack.isOpaque);
    if (found?.kind === 'link') {
      if (++links > MAX_LINKS) break;
      const target = readlinkSync(found.path);
      if (target.startsWith('/')) at = [];
      todo.push(...target.split('/').reverse());
      continue;
    }
    at.push({ name, dirs: found?.kind === 'dir' ? found.paths : [] });
    const hostPath = found?.kind === 'dir' ? found.paths[0] : found?.path;
    steps.push({ path: at.map((part) => part.name).join('/'), hostPath });
  }
  return steps;
}

type Found =
  { kind: 'dir'; paths: string[] } | { kind: 'link'; path: string } | { kind: 'file'; path: string };

/** One name in a merged directory given as its parts, topmost first. */
function lookUp(dirs: readonly string[], name: string, isOpaque: RootStack['isOpaque']): Found | undefined {
  const merged: string[] = [];
  for (const dir of dirs) {
    const path = `${dir}/${name}`;
    const stat = tryLstat(path);
    if (stat === undefined) {
      if (isOpaque(dir)) break;
      continue;
    }
    if (stat.isDirectory()) {
      merged.push(path);
      if (isOpaque(path) || isOpaque(dir)) break;
      continue;
    }
    if (merged.length > 0 || isWhiteout(stat)) break;
    return { kind: stat.isSymbolicLink() ? 'link' : 'file', path };
  }
  return merged.length === 0 ? undefined : { kind: 'dir', paths: merged };
}

function isWhiteout(stat: Stats): boolean {
  return stat.isCharacterDevice() && stat.rdev === 0;
}

function tryLstat(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (errnoOf(error) !== undefined) return undefined; // EACCES, ENOTDIR, ENAMETOOLONG: not there for us
    throw error;
  }
}
