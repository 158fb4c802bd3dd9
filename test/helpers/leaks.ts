// What must not be there after a test file: processes of the user (its subordinate ids included), mounts, namespaces
// held by files, temporary files, containers and half-done things in the store.

import { existsSync, lstatSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';
import type { Account } from './accounts.ts';
import { world, WORLD_PARENT } from './world.ts';

export interface Snapshot {
  processes: ReadonlySet<string>;
  files: ReadonlySet<string>;
  mounts: ReadonlySet<string>;
}

export interface Place {
  user: Account;
  dir: string;
  store: string;
}

/** Where a program may put temporary files. */
const TEMP_DIRS = ['/tmp', '/var/tmp', '/dev/shm', '/run'];

export function snapshot(user: Account): Snapshot {
  return {
    processes: new Set(processesOf(user).map(({ key }) => key)),
    files: new Set(tempFilesOf(user)),
    mounts: new Set(mounts()),
  };
}

/** One line for each thing left behind since `before`. Dying processes get two seconds. */
export async function findLeaks({ user, store }: Place, before: Snapshot): Promise<string[]> {
  let processes = newProcesses(user, before);
  for (let i = 0; i < 40 && processes.length > 0; i++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    processes = newProcesses(user, before);
  }
  return [
    ...endProcesses(processes),
    ...mounts()
      .filter((line) => !before.mounts.has(line))
      .map((line) => `mount ${line}`),
    ...tempFilesOf(user)
      .filter((path) => !before.files.has(path))
      .map((path) => `file ${path}`),
    ...storeLeftovers(store),
  ];
}

/** Containers, names, volumes and temporary files in a store where every container was removed. */
export function storeLeftovers(store: string): string[] {
  const list = (dir: string): string[] =>
    existsSync(dir) ? readdirSync(dir).map((name) => `${dir}/${name}`) : [];
  return [
    ...list(`${store}/containers`).map((path) => `container ${path}`),
    ...list(`${store}/volumes`).map((path) => `volume ${path}`),
    ...list(`${store}/names`).map((path) => `name ${path}`),
    ...list(`${store}/tmp`)
      .flatMap((path) => (lstatSync(path).isDirectory() ? list(path) : [path]))
      .map((path) => `temporary ${path}`),
  ];
}

export interface ProcessInfo {
  pid: number;
  /** Pid and start time: survives reuse of the pid. */
  key: string;
  command: string;
}

/** All processes that run as `user` or as one of its subordinate ids. Root's: only those of our own programs. */
export function processesOf(user: Account): ProcessInfo[] {
  const found: ProcessInfo[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const status = readFileSync(`/proc/${name}/status`, 'utf8');
      const uid = Number(/^Uid:\t(\d+)/m.exec(status)?.[1]);
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      const state = stat.slice(stat.lastIndexOf(')') + 2);
      if (state.startsWith('Z') || !ownedBy(user, uid) || !oursWhenShared(user, Number(name), command))
        continue;
      found.push({ pid: Number(name), key: `${name}@${state.split(' ')[19] ?? ''}`, command });
    } catch {
      // ended meanwhile
    }
  }
  return found;
}

function ownedBy({ uid: owner, subUids }: Account, uid: number): boolean {
  return uid === owner || subUids.some(([first, end]) => uid >= first && uid < end);
}

/** An account that people use has other processes too: then only our programs count. */
function oursWhenShared(user: Account, pid: number, command: string): boolean {
  if (user.name.startsWith('skiff-')) return true;
  if (pid === process.pid) return false;
  const executable = readlinkSync(`/proc/${pid}/exe`);
  return (
    executable === world().binary ||
    executable.startsWith('/memfd:') ||
    /^(pasta|slirp4netns)\b/.test(command)
  );
}

function newProcesses(user: Account, before: Snapshot): ProcessInfo[] {
  return processesOf(user).filter(({ key }) => !before.processes.has(key));
}

/** Kills what was left, so that one leak does not disturb the tests after it; returns what to report. */
function endProcesses(processes: ProcessInfo[]): string[] {
  return processes.map(({ pid, command }) => {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // ended meanwhile
    }
    return `process ${pid} ${command}`;
  });
}

/** Mount point, type and source of every mount of this process's namespace that could be of the engine's making. */
function mounts(): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line.includes(WORLD_PARENT) || line.includes('skiff'))
    .map((line) => {
      const [left = '', right = ''] = line.split(' - ');
      return `${left.split(' ')[4] ?? ''} ${right.split(' ').slice(0, 2).join(' ')}`;
    });
}

function tempFilesOf(user: Account): string[] {
  if (!user.name.startsWith('skiff-')) return [];
  return TEMP_DIRS.filter((dir) => existsSync(dir)).flatMap((dir) =>
    readdirSync(dir)
      .map((name) => `${dir}/${name}`)
      .filter((path) => {
        try {
          return ownedBy(user, lstatSync(path).uid);
        } catch {
          return false;
        }
      }),
  );
}
