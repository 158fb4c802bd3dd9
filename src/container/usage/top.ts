// `top`: docker's table. Without options of ps it is made from /proc, so that it needs no ps on the host or in the image,
// and users are those of the container; with options the host's ps answers, for the container's processes alone.

import { readFileSync } from 'node:fs';
import { EngineError, errnoOf } from '../../core/errors.ts';
import { runInUserNamespace } from '../../native/launch.ts';
import { toContainerId } from '../../runtime/mapped-ids.ts';
import type { ContainerSpec } from '../../runtime/spec.ts';
import { userNames } from '../../runtime/users.ts';
import type { StoreRoot } from '../../store/layout.ts';
import { addressContainer, runningInit, type AddressOptions } from '../address.ts';
import { logContainerEvent } from '../events.ts';
import { containerProcesses, type ContainerProcess } from './processes.ts';
import { readRunningAccounts } from '../exec/running-accounts.ts';

export interface ProcessTable {
  titles: string[];
  rows: string[][];
}

export const TOP_TITLES = ['UID', 'PID', 'PPID', 'C', 'STIME', 'TTY', 'TIME', 'CMD'];

/**
 * @param words  the container, unless the options name it, and options of ps(1)
 * @throws CONTAINER_NOT_FOUND, CONTAINER_AMBIGUOUS, CONTAINER_STATE (exit status 1); USAGE for options ps refuses;
 *   HOST_MISSING when there is no ps for them
 */
export async function listProcesses(
  root: StoreRoot,
  words: readonly string[],
  options: AddressOptions,
): Promise<ProcessTable> {
  const { spec, rest } = addressContainer(root, words, options);
  const { pid } = runningInit(root, spec);
  logContainerEvent(root, spec, 'top');
  const processes = containerProcesses(pid, spec.host.pidMode.kind === 'private');
  if (rest.length > 0)
    return await askPs(
      rest,
      processes.map((process) => process.pid),
    );
  const names = userNames((await readRunningAccounts(pid)).passwd ?? '');
  const now = { bootMs: bootMs(), nowMs: Date.now() };
  return {
    titles: TOP_TITLES,
    rows: processes.map((process) => rowOf(process, userName(process, spec, names), now)),
  };
}

/** As the container knows the user; an id that does not exist in there keeps its number on the host. (pure) */
function userName(
  { hostUid }: ContainerProcess,
  { idMap }: ContainerSpec,
  names: ReadonlyMap<number, string>,
): string {
  const uid = idMap === undefined ? hostUid : toContainerId(idMap.uid, hostUid);
  return uid === undefined ? String(hostUid) : (names.get(uid) ?? String(uid));
}

export interface Clock {
  /** Unix milliseconds. */
  bootMs: number;
  nowMs: number;
}

/** The columns of `ps -ef`. (pure but for the time zone) */
export function rowOf(process: ContainerProcess, user: string, { bootMs, nowMs }: Clock): string[] {
  const startMs = bootMs + process.startTicks * 10;
  const share = Math.floor((process.cpuTicks * 10 * 100) / Math.max(nowMs - startMs, 1));
  return [
    user,
    String(process.pid),
    String(process.parent),
    String(Math.min(Math.max(share, 0), 99)),
    startText(startMs, nowMs),
    terminalText(process.terminal),
    timeText(Math.floor(process.cpuTicks / 100)),
    process.args.length === 0 ? `[${printable(process.name)}]` : printable(process.args.join(' ')),
  ];
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** The hour of today, else the day of this year, else the year. */
function startText(startMs: number, nowMs: number): string {
  const start = new Date(startMs);
  const now = new Date(nowMs);
  const two = (value: number): string => String(value).padStart(2, '0');
  if (start.getFullYear() !== now.getFullYear()) return String(start.getFullYear());
  const sameDay = start.getMonth() === now.getMonth() && start.getDate() === now.getDate();
  return sameDay
    ? `${two(start.getHours())}:${two(start.getMinutes())}`
    : `${MONTHS[start.getMonth()]}${two(start.getDate())}`;
}

/** Device numbers of Linux: majors 136 to 143 are pseudo-terminals, 4 the consoles and serial lines. */
function terminalText(device: number): string {
  const major = (device >> 8) & 0xfff;
  const minor = (device & 0xff) | ((device >> 12) & 0xfff00);
  if (major >= 136 && major <= 143) return `pts/${(major - 136) * 256 + minor}`;
  if (major === 4) return minor < 64 ? `tty${minor}` : `ttyS${minor - 64}`;
  return '?';
}

/** `[days-]hh:mm:ss` */
function timeText(seconds: number): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const days = Math.floor(seconds / 86_400);
  const rest = seconds % 86_400;
  const clock = `${two(Math.floor(rest / 3600))}:${two(Math.floor(rest / 60) % 60)}:${two(rest % 60)}`;
  return days === 0 ? clock : `${days}-${clock}`;
}

/** A process may call itself anything; ps prints a question mark for what would drive the terminal. */
function printable(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '?');
}

function bootMs(): number {
  return Number(/^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'latin1'))?.[1] ?? 0) * 1000;
}

/** docker's way: ps is given the pids, and asked again without them where its options forbid that (`f`, `-C`). */
async function askPs(options: readonly string[], pids: readonly number[]): Promise<ProcessTable> {
  const chosen = await runPs([...options, '-q', pids.join(',')]);
  const { status, stdout, stderr } = chosen.status === 0 ? chosen : await runPs(options);
  if (status !== 0) {
    const said = stderr.trim().split('\n')[0] ?? '';
    throw new EngineError(
      'USAGE',
      `ps ${options.join(' ')}: ${said === '' ? `exit status ${status}` : said}`,
      {
        hint: 'what follows the container are options of ps(1), for example: -o pid,user,args',
        exitCode: 1,
      },
    );
  }
  return selectRows(stdout, new Set(pids));
}

/** The rows of those processes, the last column with its spaces. (pure) @throws USAGE without a PID column */
export function selectRows(output: string, pids: ReadonlySet<number>): ProcessTable {
  const [header = '', ...lines] = output.split('\n').filter((line) => line.trim() !== '');
  const titles = header.trim().split(/\s+/);
  const at = titles.indexOf('PID');
  if (at < 0) {
    throw new EngineError('USAGE', "couldn't find PID field in ps output", {
      hint: 'have ps print it: -o pid,…',
      exitCode: 1,
    });
  }
  const rows = lines.flatMap((line) => {
    const cells = line.trim().split(/\s+/);
    const row = [...cells.slice(0, titles.length - 1), cells.slice(titles.length - 1).join(' ')];
    return pids.has(Number(row[at])) ? [row.map(printable)] : [];
  });
  return { titles, rows };
}

async function runPs(
  options: readonly string[],
): Promise<{ status: number; stdout: string; stderr: string }> {
  // No user namespace: a plain child.
  const child = runInUserNamespace({
    idMap: undefined,
    argv: ['ps', ...options],
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [out, err]: Buffer[][] = [[], []];
  child.stdout?.on('data', (part: Buffer) => out?.push(part));
  child.stderr?.on('data', (part: Buffer) => err?.push(part));
  try {
    const { status } = await child.result;
    return {
      status,
      stdout: Buffer.concat(out ?? []).toString(),
      stderr: Buffer.concat(err ?? []).toString(),
    };
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    throw new EngineError('HOST_MISSING', 'running ps: it is not installed on this host', {
      hint: 'install it (package procps), or leave the options out: "skiff top CONTAINER" needs no ps',
    });
  }
}
