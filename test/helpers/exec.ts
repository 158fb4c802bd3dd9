// Runs a program that prepares or checks something (skopeo, tar, musl-gcc …), never the engine itself: engine.ts.

import { spawn } from 'node:child_process';

export interface ExecOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Bytes for stdin; /dev/null without. */
  input?: string | Uint8Array;
  uid?: number;
  gid?: number;
  timeoutMs?: number;
}

/** Runs `command` and returns its stdout. Throws with everything it printed unless it exits 0. */
export async function exec(
  command: string,
  args: readonly string[],
  options: ExecOptions = {},
): Promise<string> {
  const { status, stdout, stderr } = await execAny(command, args, options);
  if (status === 0) return stdout;
  throw new Error(`${[command, ...args].join(' ')}\nended with ${String(status)}\n${stderr}${stdout}`);
}

/** The same for any exit status; `status` is the signal's name when one ended it. */
export function execAny(
  command: string,
  args: readonly string[],
  { cwd, env, input, uid, gid, timeoutMs = 600_000 }: ExecOptions = {},
): Promise<{ status: number | string; stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      ...(cwd === undefined ? {} : { cwd }),
      ...(uid === undefined ? {} : { uid }),
      ...(gid === undefined ? {} : { gid }),
      env: env ?? process.env,
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      timeout: timeoutMs,
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout?.on('data', (part: Buffer) => out.push(part));
    child.stderr?.on('data', (part: Buffer) => err.push(part));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      resolve({
        status: signal ?? code ?? -1,
        stdout: Buffer.concat(out).toString('utf8'),
        stderr: Buffer.concat(err).toString('utf8'),
      });
    });
    child.stdin?.on('error', () => {}); // a program need not read all of its input
    child.stdin?.end(input);
  });
}

/** A command line that a shell reads back as these words. */
export function shellQuote(words: readonly string[]): string {
  return words
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(' ');
}
