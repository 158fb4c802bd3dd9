// `stop` and `kill`. The kernel decides between two who race: the lock of a container is free, or its keeper has it.

import { closeSync } from 'node:fs';
import { constants } from 'node:os';
import { EngineError } from '../core/errors.ts';
import { parseSignal, signalNumber } from '../runtime/signals.ts';
import type { ContainerSpec } from '../runtime/spec.ts';
import { containerDir, type StoreRoot } from '../store/layout.ts';
import { logContainerEvent } from './events.ts';
import { openLock } from './records.ts';
import {
  endRestart,
  KILL_WAIT_MS,
  killLeftover,
  markStopped,
  signalContainer,
  stillAlive,
  waitForEnd,
  wakeContainer,
  wakeKeeper,
} from './signal.ts';
import { readState } from './state.ts';
import { tryExclusive } from '../store/lock.ts';

const { SIGKILL, SIGTERM } = constants.signals;
const DEFAULT_TIMEOUT_S = 10;

export interface StopOptions {
  /** Seconds until SIGKILL; negative: never. Undefined: the container's own, else 10. */
  timeoutS?: number | undefined;
  /** Instead of the container's own stop signal. */
  signal?: string | undefined;
  cancel?: AbortSignal;
}

/** Idempotent: one that does not run is left as it is. @throws USAGE, CONTAINER_STATE, CANCELLED */
export async function stopContainer(
  root: StoreRoot,
  spec: ContainerSpec,
  options: StopOptions,
): Promise<void> {
  const signal = stopSignal(spec, options.signal);
  const timeoutS = options.timeoutS ?? spec.config.stopTimeoutS ?? DEFAULT_TIMEOUT_S;
  const lockFd = openLock(root, spec.id);
  if (lockFd === undefined) return; // removed since
  const dir = containerDir(root, spec.id);
  try {
    if (tryExclusive(lockFd)) {
      await killLeftover(dir, spec.name);
      return;
    }
    mark(dir);
    let sent = false;
    const tell = killTeller(root, spec, signal);
    const ask = (): void => {
      wakeContainer(dir);
      sent ||= signalContainer(dir, signal, tell); // it may not have a process yet
      wakeKeeper(dir);
      endRestart(dir);
    };
    ask();
    const patienceMs = timeoutS < 0 ? Infinity : timeoutS * 1000;
    if (!(await waitForEnd(lockFd, patienceMs, ask, options.cancel))) await killAndWait(root, spec, lockFd);
    logContainerEvent(root, spec, 'stop');
  } finally {
    closeSync(lockFd);
  }
}

/** SIGKILL until the keeper, who may still be starting, has let go of the lock; the caller then has it. */
export async function killAndWait(
  root: StoreRoot,
  spec: ContainerSpec,
  lockFd: number,
  tell = killTeller(root, spec, SIGKILL),
): Promise<void> {
  const dir = containerDir(root, spec.id);
  const kill = (): void => {
    signalContainer(dir, SIGKILL, tell);
    wakeContainer(dir);
    wakeKeeper(dir);
    endRestart(dir);
  };
  kill();
  if (!(await waitForEnd(lockFd, KILL_WAIT_MS, kill))) throw stillAlive(spec.name);
}

/** Logs the `kill` event of a signal, once, however often it is sent. */
function killTeller(root: StoreRoot, spec: ContainerSpec, signal: number): () => void {
  let told = false;
  return () => {
    if (!told) logContainerEvent(root, spec, 'kill', { signal: String(signal) });
    told = true;
  };
}

function stopSignal({ config }: ContainerSpec, flag: string | undefined): number {
  if (flag !== undefined && flag !== '') return parseSignal(flag, '--signal');
  // An image may say anything here.
  return (config.stopSignal === undefined ? undefined : signalNumber(config.stopSignal)) ?? SIGTERM;
}

/** @throws USAGE, CONTAINER_STATE (exit status 1) when it does not run */
export async function killContainer(root: StoreRoot, spec: ContainerSpec, signalText: string): Promise<void> {
  const signal = parseSignal(signalText, '--signal');
  const dir = containerDir(root, spec.id);
  const { status } = readState(root, spec.id);
  const lockFd = openLock(root, spec.id);
  try {
    if (lockFd === undefined || (status !== 'running' && status !== 'restarting')) throw notRunning(spec);
    if (isMeantToStop(spec, signal)) {
      mark(dir);
      wakeContainer(dir);
    }
    const tell = killTeller(root, spec, signal);
    if (status === 'restarting') endRestart(dir);
    else if (!signalContainer(dir, signal, tell)) throw notRunning(spec);
    if (signal === SIGKILL) await killAndWait(root, spec, lockFd, tell);
  } finally {
    if (lockFd !== undefined) closeSync(lockFd);
  }
}

/** docker's rule: with a stop signal of its own, a container gets other signals without being given up. */
function isMeantToStop({ config }: ContainerSpec, signal: number): boolean {
  const own = config.stopSignal === undefined ? undefined : signalNumber(config.stopSignal);
  return own === undefined || own === signal || signal === SIGKILL;
}

/** The folder may vanish at any moment: with --rm it goes with the container. */
function mark(dir: string): void {
  try {
    markStopped(dir);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

function notRunning({ id, name }: ContainerSpec): EngineError {
  return new EngineError(
    'CONTAINER_STATE',
    `cannot kill container: ${name}: container ${id} is not running`,
    {
      exitCode: 1,
    },
  );
}
