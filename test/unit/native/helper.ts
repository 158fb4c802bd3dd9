// The helper as the tests of this folder use it: built with ASan and UBSan, so that a fault in it is a failed test.

import { execFileSync, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const SOURCES = ['native/helper', 'native/common'].map((folder) => join(ROOT, folder));
const HELPER = join(ROOT, 'build/test/helper-san');

export interface Ended {
  status: number;
  stdout: string;
  stderr: string;
}

/** Builds the helper when a source is newer; several test files may come here at once, hence the lock. */
export function sanitizedHelper(): string {
  if (!isCurrent()) {
    mkdirSync(join(ROOT, 'build/test'), { recursive: true });
    const build = join(ROOT, 'native/helper/build.sh');
    const unlessDone = `[ -e "$1" ] && [ -z "$(find "$2" "$3" -newer "$1")" ] || SAN=1 "$0" "$1"`;
    execFileSync('flock', [`${HELPER}.lock`, 'sh', '-c', unlessDone, build, HELPER, ...SOURCES], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }
  return HELPER;
}

function isCurrent(): boolean {
  if (!existsSync(HELPER)) return false;
  const built = statSync(HELPER).mtimeMs;
  return SOURCES.every((folder) =>
    readdirSync(folder).every((file) => statSync(join(folder, file)).mtimeMs <= built),
  );
}

/** Runs a mode of the helper over `plan`; the plan is descriptor 3, as src/native/launch.ts does it. */
export async function runHelper(
  mode: 'run' | 'exec' | 'userns' | 'remove' | 'dump' | 'health-rules' | 'listed',
  plan: Uint8Array,
  { input = '', signal }: { input?: string; signal?: (pid: number) => Promise<void> } = {},
): Promise<Ended> {
  const file = join(tmpdir(), `skiff-plan-${process.pid}-${Math.random().toString(36).slice(2)}`);
  writeFileSync(file, plan, { mode: 0o600 });
  const fd = openSync(file, 'r');
  execFileSync('rm', [file]);
  // LeakSanitizer stops threads with ptrace, which does not work from inside other namespaces.
  const env = { ...process.env, ASAN_OPTIONS: 'detect_leaks=0' };
  const child = spawn(sanitizedHelper(), [mode, '3'], { stdio: ['pipe', 'pipe', 'pipe', fd], env });
  closeSync(fd);
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => err.push(chunk));
  child.stdin?.on('error', () => {}); // it may end without reading
  child.stdin?.end(input);
  const status = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, name) => resolve(code ?? (name === null ? -1 : -2)));
  });
  if (signal !== undefined && child.pid !== undefined) await signal(child.pid);
  return {
    status: await status,
    stdout: Buffer.concat(out).toString(),
    stderr: Buffer.concat(err).toString(),
  };
}
