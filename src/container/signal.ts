// Signals to a container, and waiting for its end. A process is signalled through a pidfd that was opened before its start
// time was compared, so a reused pid is never hit.

import { closeSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { thaw } from '../cgroup/freezer.ts';
import { readCgroupIn } from '../cgroup/record.ts';
import { EngineError, errnoOf } from '../core/errors.ts';
import { readFileIfExists } from '../core/fs.ts';
import { addon } from '../native/addon.ts';
import { tryExclusive } from '../store/lock.ts';
import { readKeeper, readPid, startTicksOf, type ProcessName } from './state.ts';

const { SIGKILL, SIGSTOP, SIGCONT, SIGTERM, SIGCHLD, SIGPIPE, SIGURG, SIGWINCH } = constants.signals;

/** What its keeper does not pass on, or cannot. */
const FOR_INIT_ITSELF: readonly number[] = [SIGKILL, SIGSTOP, SIGCONT, SIGCHLD, SIGPIPE, SIGURG, SIGWINCH];

const FIRST_WAIT_MS = 1;
const LONGEST_WAIT_MS = 25;

/**
 * Sends a signal as `kill` does: through the keeper, which does for pid 1 what the signal would do to any other process
 * (docs/decisions/0003). False: there is nobody to get it, yet or any more.
 * @param tell is called just before: whoever logs the signal does so before what it causes is logged
 */
export function signalContainer(dir: string, signal: number, tell?: () => void): boolean {
  const init = readPid(dir);
  if (init === undefined) return false;
  const keeper = FOR_INIT_ITSELF.includes(signal) ? undefined : readKeeper(dir);
  return sendSignal(keeper === undefined || ignores(keeper, signal) ? init : keeper, signal, tell);
}

/** A `run --rm` in the background of a script ignores what its shell has told it to (proc_pid_status(5), SigIgn). */
function ignores({ pid }: ProcessName, signal: number): boolean {
  const mask = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readProc(`/proc/${pid}/status`))?.[1];
  return mask !== undefined && ((BigInt(`0x${mask}`) >> BigInt(signal - 1)) & 1n) === 1n;
}

/** Ends the wait of a monitor that would start its container again. */
export function endRestart(dir: string): void {
  const keeper = readPid(dir) === undefined ? readKeeper(dir) : undefined;
  if (keeper !== undefined && /^restarting=1$/m.test(readFileIfExists(`${dir}/exit`) ?? ''))
    sendSignal(keeper, SIGTERM);
}

/** A keeper that is stopped, as by Ctrl-Z, would never notice that its container has ended. */
export function wakeKeeper(dir: string): void {
  const keeper = readKeeper(dir);
  if (keeper !== undefined && /^State:\s+T/m.test(readProc(`/proc/${keeper.pid}/status`)))
    sendSignal(keeper, SIGCONT);
}

/** A paused container notices no signal before it goes on; on cgroup v1 not even SIGKILL. */
export function wakeContainer(dir: string): void {
  const group = readCgroupIn(dir);
  if (group !== undefined) thaw(group);
}

function sendSignal({ pid, startTicks }: ProcessName, signal: number, tell?: () => void): boolean {
  const pidfd = addon().pidfdOpen(pid);
  if (pidfd === undefined) return false;
  try {
    if (startTicksOf(pid) !== startTicks) return false;
    tell?.();
    return addon().pidfdSendSignal(pidfd, signal, tell !== undefined);
  } finally {
    closeSync(pidfd);
  }
}

/** '' when the process is gone. */
function readProc(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ESRCH') return '';
    throw error;
  }
}

/** Tells the monitor that what comes is meant: no restart policy applies. Until the next start. */
export function markStopped(dir: string): void {
  writeFileSync(`${dir}/stop`, '', { mode: 0o600 });
}

export function clearStopped(dir: string): void {
  rmSync(`${dir}/stop`, { force: true });
}

/**
 * Calls `nudge` again and again until `lockFd` can be locked, which then it is. @returns false after `timeoutMs`
 * @throws CANCELLED
 */
export async function waitForEnd(
  lockFd: number,
  timeoutMs: number,
  nudge: () => void,
  signal?: AbortSignal,
): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
    if (tryExclusive(lockFd)) return true;
    if (signal?.aborted === true) throw new EngineError('CANCELLED', 'waiting for a container: cancelled');
    if (Date.now() >= deadline) return false;
    nudge();
    await sleep(waitMs);
  }
}

/** How long a process may take to vanish after SIGKILL. */
export const KILL_WAIT_MS = 10_000;

/**
 * Its keeper is dead (the caller holds the lock), but the container may live: pid 1 that has changed its ids is not killed
 * with its parent, nor is who has left its process tree for its cgroup alone. A free lock must never leave any behind.
 * @throws CONTAINER_STATE when one does not die
 */
export async function killLeftover(dir: string, name: string): Promise<void> {
  const deadline = Date.now() + KILL_WAIT_MS;
  for (
    let waitMs = FIRST_WAIT_MS;
    signalContainer(dir, SIGKILL);
    waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)
  ) {
    wakeContainer(dir);
    if (Date.now() >= deadline) throw stillAlive(name);
    await sleep(waitMs);
  }
  if (!existsSync(`${dir}/cgroup`)) return;
  const { clearGroup } = await import('../cgroup/leftover.ts');
  if (!(await clearGroup(dir))) throw stillAlive(name);
}

export function stillAlive(name: string): EngineError {
  return new EngineError(
    'CONTAINER_STATE',
    `killing container ${JSON.stringify(name)}: it is still alive ${KILL_WAIT_MS / 1000} s after SIGKILL`,
  );
}
