// Drives the built binary the way a user does: as the ordinary user, from a folder of its own, with its own HOME, store
// and runtime folder. Exit status and stderr are part of every assertion; a failure prints the command to repeat it.

import { spawn, type ChildProcess } from 'node:child_process';
import { chownSync, mkdirSync, mkdtempSync } from 'node:fs';
import { afterAll, beforeAll } from 'vitest';
import { isRoot, type Account } from './accounts.ts';
import { shellQuote } from './exec.ts';
import { findLeaks, snapshot, type Snapshot } from './leaks.ts';
import { removeTree } from './remove-tree.ts';
import { world } from './world.ts';

export interface Expectation {
  /** Exit status, or the signal's name; 0 unless said otherwise; null: not looked at. */
  status?: number | NodeJS.Signals | null;
  /** Exact text, or what it must match. */
  stdout?: string | RegExp;
  /** Nothing may be printed unless said otherwise. */
  stderr?: string | RegExp;
}

export interface RunOptions extends Expectation {
  stdin?: string | Uint8Array;
  /** Leave stdin open for the test to write to. */
  keepStdin?: boolean;
  /** Merged over the sandbox's environment; undefined removes a variable. */
  env?: Record<string, string | undefined>;
  cwd?: string;
  timeoutMs?: number;
  /** Words before the binary: a wrapper that execs the rest. */
  prefix?: readonly string[];
  binary?: string;
  /** Shell text run before it on a terminal (terminal.ts). */
  before?: string;
}

export interface Result {
  status: number | NodeJS.Signals;
  stdout: string;
  stderr: string;
  stdoutBytes: Buffer;
}

export interface Running {
  child: ChildProcess;
  pid: number;
  /** What was printed so far. */
  stdout(): string;
  stderr(): string;
  /** Resolves when stdout so far matches; rejects when the process ends before. */
  waitForStdout(pattern: RegExp): Promise<void>;
  result: Promise<Result>;
}

export interface SandboxOptions {
  user?: Account;
  /** Use the store of the world, which holds `busybox`, instead of an empty one. */
  sharedStore?: boolean;
}

export const ANY = /^/;

export class Engine {
  readonly user: Account;
  readonly dir: string;
  readonly env: Record<string, string>;
  readonly store: string;
  readonly binary: string = world().binary;

  constructor({ user, sharedStore = false }: SandboxOptions) {
    const { dir, user: ordinary, store, storeError } = world();
    if (sharedStore && storeError !== '') throw new Error(storeError);
    this.user = user ?? ordinary;
    this.dir = mkdtempSync(`${dir}/box-`);
    this.store = sharedStore ? store : `${this.dir}/store`;
    this.#own(this.dir);
    for (const name of ['home', 'run']) {
      mkdirSync(`${this.dir}/${name}`, { mode: 0o700 });
      this.#own(`${this.dir}/${name}`);
    }
    this.env = {
      HOME: `${this.dir}/home`,
      XDG_RUNTIME_DIR: `${this.dir}/run`,
      SKIFF_ROOT: this.store,
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      LANG: 'C.UTF-8',
    };
  }

  /** A new folder of the user's inside the sandbox. */
  makeDir(name: string, mode = 0o755): string {
    const path = `${this.dir}/${name}`;
    mkdirSync(path, { mode });
    this.#own(path);
    return path;
  }

  #own(path: string): void {
    if (isRoot()) chownSync(path, this.user.uid, this.user.gid);
  }

  /** Runs skiff to its end and checks what came of it. */
  async run(args: readonly string[], options: RunOptions = {}): Promise<Result> {
    const { result } = this.start(args, options);
    const seen = await result;
    const { status = 0, stdout, stderr = '' } = options;
    const wrong: string[] = [];
    if (status !== null && seen.status !== status) wrong.push(`status ${seen.status}, not ${status}`);
    if (!matches(seen.stdout, stdout)) wrong.push(`stdout is not ${show(stdout)}`);
    if (!matches(seen.stderr, stderr)) wrong.push(`stderr is not ${show(stderr)}`);
    if (wrong.length === 0) return seen;
    throw new Error(
      `${wrong.join('; ')}\n${this.commandLine(args, options)}\n` +
        `--- stdout\n${clip(seen.stdout)}\n--- stderr\n${clip(seen.stderr)}`,
    );
  }

  /** Starts skiff with pipes and returns at once. */
  start(args: readonly string[], options: RunOptions = {}): Running {
    const { command, words, env, cwd } = this.#resolve(args, options);
    const child = spawn(command, words, {
      env,
      cwd,
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(isRoot() && this.user.uid !== 0 ? { uid: this.user.uid, gid: this.user.gid } : {}),
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    const listeners = new Set<() => void>();
    child.stdout.on('data', (part: Buffer) => {
      out.push(part);
      for (const listener of listeners) listener();
    });
    child.stderr.on('data', (part: Buffer) => err.push(part));
    child.stdin.on('error', () => {}); // the container need not read its input
    if (options.keepStdin !== true) child.stdin.end(options.stdin);
    const text = (parts: Buffer[]): string => Buffer.concat(parts).toString('utf8');
    const timeoutMs = options.timeoutMs ?? 60_000;
    const result = new Promise<Result>((resolve, reject) => {
      const timer = setTimeout(() => {
        child.kill('SIGKILL');
        reject(
          new Error(
            `no end after ${timeoutMs} ms\n${this.commandLine(args, options)}\n` +
              `--- stdout\n${clip(text(out))}\n--- stderr\n${clip(text(err))}`,
          ),
        );
      }, timeoutMs);
      child.on('error', reject);
      child.on('close', (code, signal) => {
        clearTimeout(timer);
        const stdoutBytes = Buffer.concat(out);
        const stdout = stdoutBytes.toString('utf8');
        resolve({ status: signal ?? code ?? -1, stdout, stderr: text(err), stdoutBytes });
      });
    });
    result.catch(() => {}); // whoever awaits it sees the rejection
    return {
      child,
      pid: child.pid ?? -1,
      stdout: () => text(out),
      stderr: () => text(err),
      waitForStdout: (pattern) =>
        new Promise((resolve, reject) => {
          const look = (): void => {
            if (!pattern.test(text(out))) return;
            listeners.delete(look);
            resolve();
          };
          listeners.add(look);
          result.then(
            () =>
              reject(
                new Error(
                  `ended before stdout matched ${String(pattern)}\n${clip(text(out))}\n${clip(text(err))}`,
                ),
              ),
            reject,
          );
          look();
        }),
      result,
    };
  }

  /** What a person types to repeat it. */
  commandLine(args: readonly string[], options: RunOptions = {}): string {
    const { command, words, env, cwd } = this.#resolve(args, options);
    const { uid, gid } = this.user;
    const become =
      isRoot() && uid !== 0 ? ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'] : [];
    const variables = Object.entries(env).map(([key, value]) => `${key}=${value ?? ''}`);
    return `cd ${cwd} && ${shellQuote([...become, 'env', '-i', ...variables, command, ...words])}`;
  }

  /** The binary and its arguments, for callers that start it themselves with `env`. */
  words(args: readonly string[]): string[] {
    return [this.binary, ...args];
  }

  #resolve(args: readonly string[], options: RunOptions) {
    const merged = Object.entries({ ...this.env, ...options.env });
    const env = Object.fromEntries(merged.filter(([, value]) => value !== undefined));
    const [command = '', ...words] = [...(options.prefix ?? []), options.binary ?? this.binary, ...args];
    return { command, words, env, cwd: options.cwd ?? '/' };
  }
}

/**
 * An engine for the tests of the calling file (call at its top level); after them it is checked for leaks of any kind
 * and removed.
 */
export function sandbox(options: SandboxOptions = {}): Engine {
  const engine = new Engine(options);
  let before: Snapshot | undefined;
  beforeAll(() => {
    before = snapshot(engine.user);
  });
  afterAll(async () => {
    const leaks = before === undefined ? [] : await findLeaks(engine, before);
    if (leaks.length > 0) await emptyStore(engine);
    await removeTree(engine.dir, engine.user);
    if (leaks.length > 0) throw new Error(`left behind:\n  ${leaks.join('\n  ')}`);
  });
  return engine;
}

/** What one file leaves in the store, which all share, is to disturb no other. */
async function emptyStore(engine: Engine): Promise<void> {
  for (const args of [
    ['rm', '--all', '--force', '--volumes'],
    ['volume', 'prune', '--all', '--force'],
  ])
    await engine.run(args, { status: null, stdout: ANY, stderr: ANY });
}

function matches(text: string, expected: string | RegExp | undefined): boolean {
  if (expected === undefined) return true;
  return typeof expected === 'string' ? text === expected : expected.test(text);
}

function show(expected: string | RegExp | undefined): string {
  return typeof expected === 'string' ? JSON.stringify(expected) : String(expected);
}

function clip(text: string): string {
  return text.length <= 4000
    ? text
    : `${text.slice(0, 2000)}\n… ${text.length - 4000} characters …\n${text.slice(-2000)}`;
}
