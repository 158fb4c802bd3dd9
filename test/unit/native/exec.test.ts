// The helper's mode `exec`, built with ASan and UBSan, into a container that the same helper keeps.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, test, vi, type TestContext } from 'vitest';
import { encodeExecPlan, encodePlan } from '../../../src/native/encode-plan.ts';
import type { ExecPlan, HelperPlan } from '../../../src/native/plan.ts';
import { runHelper, sanitizedHelper, type Ended } from './helper.ts';
import { smallPlan } from './plans.ts';

const BUSYBOX = ['/bin/busybox', '/usr/bin/busybox'].find((path) => existsSync(path));
const APPLETS = ['sh', 'cat', 'id', 'ls', 'sleep', 'tty', 'readlink', 'head', 'stat', 'env'];
const uid = process.getuid?.() ?? 0;
const gid = process.getgid?.() ?? 0;
const ALL = 0xa80425fbn;

let work = '';
let missing: string | undefined;
let keeper: ChildProcess | undefined;
let init = { pid: 0, startTicks: '0' };

beforeAll(async () => {
  sanitizedHelper();
  const probe = spawnSync('unshare', ['-Urpfm', '--mount-proc', 'true'], { encoding: 'utf8' });
  missing =
    BUSYBOX === undefined
      ? 'no static busybox (package busybox-static)'
      : probe.status === 0
        ? undefined
        : `no user namespaces: ${probe.stderr.trim()}`;
  if (missing !== undefined) return;
  work = mkdtempSync(join(tmpdir(), 'skiff-exec-'));
  makeRootfs(join(work, 'rootfs'));
  await startContainer();
}, 300_000);

afterAll(async () => {
  if (keeper?.exitCode === null) {
    const ended = new Promise((resolve) => keeper?.once('close', resolve));
    keeper.kill('SIGTERM');
    await ended;
  }
  if (work !== '') rmSync(work, { recursive: true, force: true });
});

function makeRootfs(root: string): void {
  for (const dir of ['bin', 'dev', 'etc', 'proc', 'tmp']) mkdirSync(join(root, dir), { recursive: true });
  copyFileSync(BUSYBOX ?? '', join(root, 'bin/busybox'));
  for (const applet of APPLETS) linkSync(join(root, 'bin/busybox'), join(root, 'bin', applet));
}

function containerPlan(): HelperPlan {
  const added = { kind: 'new' } as const;
  const plan = smallPlan();
  return {
    ...plan,
    namespaces: {
      user: {
        kind: 'new',
        via: 'self',
        map: {
          uid: [{ containerID: 0, hostID: uid, size: 1 }],
          gid: [{ containerID: 0, hostID: gid, size: 1 }],
        },
      },
      pid: added,
      net: added,
      ipc: added,
      uts: added,
      cgroup: added,
    },
    rootfs: { kind: 'bind', path: join(work, 'rootfs'), noDev: false },
    setup: [
      { op: 'proc', target: '/proc' },
      { op: 'tmpfs', target: '/dev', flags: { noSuid: true }, data: 'mode=755' },
      { op: 'devpts', target: '/dev/pts' },
    ],
    hostname: 'box',
    process: { ...plan.process, args: ['sleep', '1000'], env: ['PATH=/bin'] },
    lifetime: { ...plan.lifetime, containerDir: work, lockFd: -1 },
  };
}

async function startContainer(): Promise<void> {
  const file = join(work, 'plan');
  writeFileSync(file, encodePlan(containerPlan()));
  keeper = spawn(sanitizedHelper(), ['run', '3'], {
    stdio: ['ignore', 'ignore', 'inherit', openSync(file, 'r')],
    env: { ...process.env, ASAN_OPTIONS: 'detect_leaks=0' },
  });
  await vi.waitUntil(() => existsSync(join(work, 'pid')), { timeout: 20_000 });
  const [pid = '', startTicks = ''] = readFileSync(join(work, 'pid'), 'utf8').trim().split(' ');
  init = { pid: Number(pid), startTicks };
  // The pid is known before the command runs; until then its root is the host's.
  await vi.waitUntil(() => readFileSync(`/proc/${pid}/comm`, 'utf8') === 'sleep\n', { timeout: 20_000 });
}

interface Changes {
  args: string[];
  process?: Partial<HelperPlan['process']>;
  plan?: Partial<ExecPlan>;
}

function exec(
  context: TestContext,
  changes: Changes,
  options: Parameters<typeof runHelper>[2] = {},
): Promise<Ended> {
  if (missing !== undefined) context.skip(missing);
  return runHelper('exec', encodeExecPlan(planOf(changes)), options);
}

function planOf({ args, process: change, plan }: Changes): ExecPlan {
  const base = smallPlan().process;
  return {
    container: 'web',
    ...init,
    process: {
      ...base,
      args,
      env: ['PATH=/bin', 'A=b'],
      capabilities: { ...base.capabilities, bounding: ALL, effective: ALL, permitted: ALL },
      seccomp: 'default',
      ...change,
    },
    stdio: { kind: 'inherit', stdin: true },
    detach: false,
    detachKeys: new Uint8Array(),
    dieWithParent: false,
    ...plan,
  };
}

const sh = (script: string): string[] => ['sh', '-c', script];

describe('a process that enters', () => {
  it('is in every namespace of the container', async (context) => {
    const names = ['user', 'mnt', 'pid', 'net', 'ipc', 'uts', 'cgroup'];
    const links = (pid: string): string[] =>
      sh(names.map((name) => `readlink /proc/${pid}/ns/${name}`).join(';'));
    const seen = await exec(context, { args: links('self') });
    const own = await exec(context, { args: links('1') });
    expect(seen).toEqual({ ...own, status: 0, stderr: '' });
    expect(seen.stdout.trim().split('\n')).toHaveLength(names.length);
  });

  it('holds nothing but its stdio', async (context) => {
    const { stdout } = await exec(context, { args: sh('cd /proc/self/fd && echo *') });
    // 3 is the directory that the shell reads.
    expect(stdout).toBe('0 1 2 3\n');
  });

  it('has environment, directory and input of its own', async (context) => {
    const ended = await exec(
      context,
      { args: sh('echo $A $PWD; cat'), process: { cwd: '/etc' } },
      { input: 'typed' },
    );
    expect(ended).toEqual({ status: 0, stdout: 'b /etc\ntyped', stderr: '' });
  });

  it('is below the filter and the limits of its plan', async (context) => {
    const { stdout } = await exec(context, {
      args: sh(
        'ulimit -n; while read k v; do case $k in Seccomp:|NoNewPrivs:|CapBnd:) echo $v;; esac; done </proc/self/status',
      ),
      process: { noNewPrivileges: true, rlimits: [{ resource: 7, soft: 99n, hard: 99n }] },
    });
    expect(stdout).toBe('99\n00000000a80425fb\n1\n2\n');
  });

  it('has a terminal when asked', async (context) => {
    const ended = await exec(context, { args: ['tty'], plan: { stdio: { kind: 'tty', stdin: false } } });
    expect(ended).toEqual({ status: 0, stdout: '/dev/pts/0\r\n', stderr: '' });
  });

  it('is given signals', async (context) => {
    const ended = await exec(
      context,
      { args: sh('trap "echo got; exit 5" USR1; echo >/tmp/ready; while :; do sleep 0.1; done') },
      {
        signal: async (pid) => {
          await expect.poll(() => existsSync(join(work, 'rootfs/tmp/ready')), { timeout: 10_000 }).toBe(true);
          process.kill(pid, 'SIGUSR1');
        },
      },
    );
    expect(ended).toEqual({ status: 5, stdout: 'got\n', stderr: '' });
  });

  it('may go on alone', async (context) => {
    const ended = await exec(context, {
      args: sh('sleep 0.3; echo done >/tmp/alone; echo unseen'),
      plan: { detach: true },
    });
    expect(ended).toEqual({ status: 0, stdout: '', stderr: '' });
    const file = join(work, 'rootfs/tmp/alone');
    await expect.poll(() => existsSync(file) && readFileSync(file, 'utf8'), { timeout: 5000 }).toBe('done\n');
  });
});

test('a container whose init has not executed yet is not entered', async () => {
  // A subshell is a process that was forked and has executed nothing, as an init that still makes its mounts.
  const shell = spawn('sh', ['-c', '(echo up; read x); true'], { stdio: ['pipe', 'pipe', 'ignore'] });
  await new Promise((resolve) => shell.stdout.once('data', resolve));
  const pid = Number(readFileSync(`/proc/${shell.pid}/task/${shell.pid}/children`, 'utf8'));
  const startTicks = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[19] ?? '';
  const ended = await runHelper('exec', encodeExecPlan({ ...planOf({ args: ['id'] }), pid, startTicks }));
  shell.stdin.end();
  expect(ended).toEqual({
    status: 125,
    stdout: '',
    stderr: 'Error: entering the container "web": it is still starting\n',
  });
});

describe('what fails', () => {
  it.each<[string, Changes, number, RegExp]>([
    [
      'a command that is not there',
      { args: ['nope'] },
      127,
      /^Error: starting "nope": executable file not found/,
    ],
    ['a directory', { args: ['/etc'] }, 126, /^Error: starting "\/etc": is a directory\n$/],
    [
      'a missing directory',
      { args: ['id'], process: { cwd: '/no' } },
      126,
      /^Error: changing to .* "\/no": No such/,
    ],
    [
      'an id without a host id',
      { args: ['id'], process: { containerUid: 7 } },
      125,
      /^Error: changing to the user "7:0"/,
    ],
    ['detached: the same', { args: ['nope'], plan: { detach: true } }, 127, /^Error: starting "nope"/],
    [
      'a process that is somebody else by now',
      { args: ['id'], plan: { startTicks: '1' } },
      125,
      /^Error: entering the container "web": it is not running any more\n$/,
    ],
    [
      'no such process',
      { args: ['id'], plan: { pid: 4_194_303 } },
      125,
      /^Error: entering the container "web"/,
    ],
  ])('%s', async (_, changes, status, stderr) => {
    if (missing !== undefined) return;
    const ended = await exec({ skip: () => undefined } as unknown as TestContext, changes);
    expect({ ...ended, stderr: '' }).toEqual({ status, stdout: '', stderr: '' });
    expect(ended.stderr).toMatch(stderr);
  });
});
