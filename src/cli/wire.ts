// The Context of this process. Everything that costs time or changes the process (signal handlers, node:tty) waits until
// a command asks for it; the configuration, two failed opens where there is none, does not.

import { loadConfig } from '../core/config.ts';
import { decodeBytes } from '../core/bytes.ts';
import { EngineError } from '../core/errors.ts';
import { ensurePrivateDir } from '../core/fs.ts';
import { exposedGraphRoot, resolvePaths, type Paths } from '../core/paths.ts';
import type { Log } from '../core/log.ts';
import type { Context } from './context.ts';
import { processIo, writeMessage } from './io.ts';
import { visible } from './report.ts';
import type { FlagMap } from './parse.ts';
import { readFileSync } from 'node:fs';

export interface Wiring {
  cx: Context;
  /** The signal that aborted cx.signal, if one did. */
  abortedBy: () => NodeJS.Signals | undefined;
}

export type Env = Readonly<Record<string, string | undefined>>;

/**
 * Reads the configuration, so that a mistake in it is told by every command alike.
 * @throws USAGE for an empty --root; CONFIG_INVALID, IO
 */
export async function wireContext(env: Env, globals: FlagMap): Promise<Wiring> {
  const hostUid = process.geteuid?.() ?? 0;
  const cancel = new Cancellation();
  const home = homeOf(env, hostUid);
  const config = await loadConfig(env, { file: globals['config'] as string | undefined, home });
  const root = rootFlag(globals) ?? config.root;
  let paths: Paths | undefined;
  const cx: Context = {
    get paths() {
      if (paths !== undefined) return paths;
      paths = resolvePaths({ env, hostUid, root, home });
      if (paths.graphRoot === exposedGraphRoot(hostUid))
        ensurePrivateDir(paths.graphRoot, hostUid, 'choose another store with --root DIR or SKIFF_ROOT');
      return paths;
    },
    config: () => config,
    env,
    io: processIo,
    log: stderrLog(isDebug(env, globals)),
    get signal() {
      return cancel.signal();
    },
    handOver: () => cancel.handOver(),
    hostUid,
    hostGid: process.getegid?.() ?? 0,
  };
  return { cx, abortedBy: () => cancel.by };
}

export function isDebug(env: Env, globals: FlagMap): boolean {
  const fromEnv = env['SKIFF_DEBUG'] ?? '';
  return globals['debug'] === true || (globals['debug'] === undefined && fromEnv !== '' && fromEnv !== '0');
}

/** process.env turns bytes that are no UTF-8 into U+FFFD: read them again where that happened. */
export function readEnvironment(): Env {
  const env = { ...process.env };
  for (const name in env) {
    if (!name.includes('\ufffd') && env[name]?.includes('\ufffd') !== true) continue;
    const exact: Record<string, string> = {};
    for (const entry of splitNul('/proc/self/environ')) {
      const equals = entry.indexOf('=', 1);
      if (equals > 0) exact[entry.slice(0, equals)] ??= entry.slice(equals + 1);
    }
    return exact;
  }
  return env;
}

/** Arguments after the program's name, byte for byte. */
export function readArguments(): string[] {
  const lossy = process.argv.slice(2);
  if (!lossy.some((word) => word.includes('\ufffd'))) return lossy;
  return splitNul('/proc/self/cmdline').slice(-lossy.length);
}

function splitNul(path: string): string[] {
  const bytes = readFileSync(path);
  const words: string[] = [];
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(0, start);
    const stop = end === -1 ? bytes.length : end;
    words.push(decodeBytes(bytes.subarray(start, stop)));
    start = stop + 1;
  }
  return words;
}

/** Relative to the working directory. An empty one would be that directory, which nobody means. */
function rootFlag(globals: FlagMap): string | undefined {
  const root = globals['root'] as string | undefined;
  if (root === '') throw new EngineError('USAGE', '--root "": expected a directory');
  return root === undefined || root.startsWith('/') ? root : `${process.cwd()}/${root}`;
}

/** Home of the passwd entry; asked only where the environment does not say. */
function homeOf(env: Env, hostUid: number): string | undefined {
  if (hostUid === 0 || env['HOME'] !== undefined || env['XDG_DATA_HOME'] !== undefined) return undefined;
  try {
    return process.getBuiltinModule('node:os').userInfo().homedir;
  } catch {
    return undefined; // a uid without an entry, as in many CI containers
  }
}

function stderrLog(debug: boolean): Log {
  const warned = new Set<string>();
  return {
    warn(message) {
      if (warned.has(message)) return;
      warned.add(message);
      writeMessage(`Warning: ${visible(message)}\n`);
    },
    info: (message) => writeMessage(`${visible(message)}\n`),
    debug: (message) => debug && writeMessage(`debug: ${visible(message)}\n`),
  };
}

/** SIGINT, SIGTERM, SIGHUP → abort; handlers exist once the signal is asked for. A second one kills at once. */
class Cancellation {
  by: NodeJS.Signals | undefined;
  #controller: AbortController | undefined;
  readonly #handlers = new Map<NodeJS.Signals, () => void>();

  signal(): AbortSignal {
    if (this.#controller !== undefined) return this.#controller.signal;
    const controller = (this.#controller = new AbortController());
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      const abort = () => {
        this.by = name;
        this.#release(name); // the next one ends the process
        controller.abort();
      };
      process.on(name, abort);
      this.#handlers.set(name, abort);
    }
    return controller.signal;
  }

  async handOver(): Promise<void> {
    if (this.#controller === undefined) return;
    await new Promise((resolve) => setImmediate(resolve)); // what has come already is delivered
    for (const name of [...this.#handlers.keys()]) this.#release(name);
    if (this.#controller.signal.aborted)
      throw new EngineError('CANCELLED', 'starting the container: cancelled');
  }

  #release(name: NodeJS.Signals): void {
    const handler = this.#handlers.get(name);
    if (handler !== undefined) process.removeListener(name, handler);
    this.#handlers.delete(name);
  }
}
