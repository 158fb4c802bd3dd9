// What a killed keeper has left of its container's group: processes are killed, directories removed. The caller holds the
// container's lock, so nobody starts it meanwhile.

import { closeSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { errnoOf } from '../core/errors.ts';
import { addon } from '../native/addon.ts';
import { parseCgroup } from './record.ts';
import type { ContainerCgroup } from './types.ts';

const FIRST_WAIT_MS = 1;
const LONGEST_WAIT_MS = 25;
const PATIENCE_MS = 5000;

/**
 * Kills whoever is left in the group named by `dir`/cgroup, dir being containers/<id>, and removes it and the record.
 * True: there is none (any more); false: somebody in it does not die.
 */
export async function clearGroup(dir: string): Promise<boolean> {
  const file = `${dir}/cgroup`;
  const text = readIfThere(file);
  if (text === undefined) return true;
  const cgroup = parseCgroup(text);
  if (cgroup !== undefined && !(await removeGroup(cgroup))) return false;
  rmSync(file, { force: true });
  return true;
}

async function removeGroup(cgroup: ContainerCgroup): Promise<boolean> {
  const dirs = cgroup.version === 2 ? [cgroup.path] : [...new Set(Object.values(cgroup.paths))];
  const deadline = Date.now() + PATIENCE_MS;
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
    killAll(cgroup, dirs);
    if (dirs.every(removeTree)) return true;
    if (Date.now() >= deadline) return false;
    await sleep(waitMs);
  }
}

function killAll(cgroup: ContainerCgroup, dirs: readonly string[]): void {
  if (cgroup.version === 2 && tryWrite(`${cgroup.path}/cgroup.kill`, '1')) return;
  // Who is frozen dies only when it is thawed.
  if (cgroup.version === 1 && cgroup.paths.freezer !== undefined)
    tryWrite(`${cgroup.paths.freezer}/freezer.state`, 'THAWED');
  for (const dir of dirs.slice(0, 1)) for (const pid of pidsIn(dir)) killIn(dir, pid);
}

/** The pid may have become somebody else's since it was listed: asked again when a pidfd holds it. */
function killIn(dir: string, pid: number): void {
  const pidfd = addon().pidfdOpen(pid);
  if (pidfd === undefined) return;
  try {
    if (pidsIn(dir).includes(pid)) addon().pidfdSendSignal(pidfd, constants.signals.SIGKILL, false);
  } finally {
    closeSync(pidfd);
  }
}

function pidsIn(dir: string): number[] {
  const text = readIfThere(`${dir}/cgroup.procs`) ?? '';
  return text
    .split('\n')
    .map(Number)
    .filter((pid) => pid > 0);
}

/** With the groups the container has made in it; the files go by themselves. */
function removeTree(dir: string): boolean {
  if (isGone(dir)) return true;
  try {
    for (const entry of readdirSync(dir, { withFileTypes: true }))
      if (entry.isDirectory()) removeTree(`${dir}/${entry.name}`);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
  }
  return isGone(dir);
}

/** Also what we may not touch (any more): an empty group of a hierarchy that has become read-only must not keep a container. */
function isGone(dir: string): boolean {
  try {
    rmdirSync(dir);
    return true;
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return !['EBUSY', 'ENOTEMPTY'].includes(errnoOf(error) as string);
  }
}

function tryWrite(path: string, text: string): boolean {
  try {
    writeFileSync(path, text, { flag: 'r+' });
    return true;
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return false;
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ENODEV'].includes(errnoOf(error) ?? '')) return undefined;
    throw error;
  }
}
