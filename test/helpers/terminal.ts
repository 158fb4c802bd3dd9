// Runs skiff on a pseudo-terminal of its own, by script(1) of bsdutils, and looks at it from outside.

import { readFileSync, rmSync } from 'node:fs';
import { execFileSync, spawn } from 'node:child_process';
import { isRoot } from './accounts.ts';
import type { Engine, RunOptions } from './engine.ts';
import { shellQuote } from './exec.ts';

export interface TerminalRun {
  /** Everything shown so far, with the terminal's \r\n. */
  output(): string;
  /** Types at the terminal. */
  type(text: string): void;
  /** Resolves when the output matches; rejects when the session ends before, or after 20 s. */
  waitFor(pattern: RegExp): Promise<void>;
  resize(columns: number, rows: number): void;
  /** Closes the keyboard side, as when a terminal window is closed. */
  hangUp(): void;
  /** Pid of skiff. */
  pid(): number;
  end: Promise<{ status: number; output: string }>;
}

let count = 0;

export function withTerminal(engine: Engine, args: readonly string[], options: RunOptions = {}): TerminalRun {
  const words = [...(options.prefix ?? []), ...engine.words(args)];
  const place = `${engine.dir}/terminal-${count++}`;
  // The shell is replaced by skiff, so its pid is skiff's.
  const inner = `echo "$$ $(tty)" >${shellQuote([place])}; ${options.before ?? ''} exec ${shellQuote(words)}`;
  const child = spawn('script', ['--quiet', '--return', '--command', inner, '/dev/null'], {
    env: { ...engine.env, TERM: 'xterm', SHELL: '/bin/sh', ...options.env },
    cwd: '/',
    stdio: ['pipe', 'pipe', 'inherit'],
    ...(isRoot() && engine.user.uid !== 0 ? { uid: engine.user.uid, gid: engine.user.gid } : {}),
  });
  let text = '';
  const listeners = new Set<() => void>();
  child.stdout.on('data', (part: Buffer) => {
    text += part.toString('utf8');
    for (const listener of listeners) listener();
  });
  child.stdin.on('error', () => {});
  const where = (): [pid: string, tty: string] =>
    readFileSync(place, 'utf8').trim().split(' ') as [string, string];
  const end = new Promise<{ status: number; output: string }>((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`no end after 30 s: ${shellQuote(words)}\n${text}`));
    }, 30_000);
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(timer);
      rmSync(place, { force: true });
      resolve({ status: code ?? -1, output: text });
    });
  });
  end.catch(() => {});
  return {
    output: () => text,
    type: (keys) => child.stdin.write(keys),
    waitFor: (pattern) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(
          () => reject(new Error(`not shown in 20 s: ${String(pattern)}\n${text}`)),
          20_000,
        );
        const look = (): void => {
          if (!pattern.test(text)) return;
          clearTimeout(timer);
          listeners.delete(look);
          resolve();
        };
        listeners.add(look);
        end.then(() => reject(new Error(`ended before ${String(pattern)} was shown\n${text}`)), reject);
        look();
      }),
    resize: (columns, rows) =>
      void execFileSync('stty', ['-F', where()[1], 'columns', String(columns), 'rows', String(rows)]),
    hangUp: () => child.kill('SIGKILL'),
    pid: () => Number(where()[0]),
    end,
  };
}
