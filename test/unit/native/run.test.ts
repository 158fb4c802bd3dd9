// The helper with hand-made plans: what it does is asked from inside. Works as root and as anybody who may make a user
// namespace; a static busybox is all the root file system there is.

import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
} from 'node:fs';
import { readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import {
  encodePlan,
  encodeRemoveCommand,
  encodeUserNamespaceCommand,
} from '../../../src/native/encode-plan.ts';
import type { HelperPlan, SetupOp, UserNamespace } from '../../../src/native/plan.ts';
import { runHelper, sanitizedHelper, type Ended } from './helper.ts';

const BUSYBOX = ['/bin/busybox', '/usr/bin/busybox'].find((path) => existsSync(path));
const APPLETS = [
  'sh',
  'cat',
  'id',
  'ls',
  'mount',
  'sleep',
  'touch',
  'hostname',
  'kill',
  'stat',
  'ip',
  'yes',
  'tty',
];
const uid = process.getuid?.() ?? 0;
const gid = process.getgid?.() ?? 0;

let work = '';
let missing: string | undefined;

beforeAll(() => {
  sanitizedHelper();
  missing = whyNot();
  // On the disk of the sources: an overlay's upper directory cannot lie on another overlay, as /tmp may.
  work = mkdtempSync(join(tmpdir(), 'skiff-native-'));
  if (missing === undefined) makeRootfs(join(work, 'rootfs'));
}, 300_000);

afterAll(() => {
  spawnSync('chmod', ['-R', 'u+rwx', work]);
  spawnSync('rm', ['-rf', work]);
});

/** Why containers cannot be started here at all. */
function whyNot(): string | undefined {
  if (BUSYBOX === undefined) return 'no static busybox (package busybox-static)';
  const probe = spawnSync('unshare', ['-Urpfm', '--mount-proc', 'true'], { encoding: 'utf8' });
  return probe.status === 0 ? undefined : `no user namespaces: ${probe.stderr.trim()}`;
}

function makeRootfs(root: string): void {
  for (const dir of ['bin', 'dev', 'etc', 'proc', 'root', 'sys', 'tmp'])
    mkdirSync(join(root, dir), { recursive: true });
  const box = join(root, 'bin/busybox');
  copyFileSync(BUSYBOX ?? '', box);
  chmodSync(box, 0o755);
  for (const applet of APPLETS) linkSync(box, join(root, 'bin', applet));
  writeFileSync(join(root, 'etc/text'), 'no program\n');
  writeFileSync(join(root, 'bin/odd'), 'no program\n', { mode: 0o755 });
  writeFileSync(join(root, 'bin/lost'), '#!/no/interpreter\n', { mode: 0o755 });
  // Links that try to leave: a target is resolved as inside the container.
  symlinkSync('/etc', join(root, 'absolute'));
  symlinkSync('../../../../../../etc', join(root, 'upwards'));
  symlinkSync('/missing/dir', join(root, 'dangling'));
}

/** One id, so that neither newuidmap nor root is needed. */
const user: UserNamespace = {
  kind: 'new',
  via: 'self',
  map: {
    uid: [{ containerID: 0, hostID: uid, size: 1 }],
    gid: [{ containerID: 0, hostID: gid, size: 1 }],
  },
};

const BASE: SetupOp[] = [
  { op: 'proc', target: '/proc' },
  { op: 'tmpfs', target: '/dev', flags: { noSuid: true }, data: 'mode=755' },
  { op: 'devpts', target: '/dev/pts' },
  { op: 'device', path: '/dev/null', target: '/dev/null' },
];

interface Changes {
  args: string[];
  setup?: SetupOp[];
  process?: Partial<HelperPlan['process']>;
  plan?: Partial<HelperPlan>;
  lifetime?: Partial<HelperPlan['lifetime']>;
}

function makePlan({ args, setup = [], process: change, plan, lifetime }: Changes): HelperPlan {
  const dir = mkdtempSync(join(work, 'c-'));
  for (const name of ['upper', 'work']) mkdirSync(join(dir, name));
  const added = { kind: 'new' } as const;
  const all = 0xa80425fbn;
  return {
    namespaces: { user, pid: added, net: added, ipc: added, uts: added, cgroup: added },
    rootfs: {
      kind: 'overlay',
      lower: [join(work, 'rootfs')],
      upper: join(dir, 'upper'),
      work: join(dir, 'work'),
      noDev: false,
    },
    rootPropagation: 'rprivate',
    setup: [...BASE, ...setup],
    hostname: 'box',
    sysctls: [],
    process: {
      args,
      env: ['PATH=/nowhere:/bin'],
      cwd: '/',
      createCwd: false,
      containerUid: 0,
      containerGid: 0,
      additionalGids: [],
      keepGroups: false,
      capabilities: { bounding: all, effective: all, permitted: all, inheritable: 0n, ambient: 0n },
      noNewPrivileges: false,
      seccomp: 'default',
      rlimits: [],
      init: false,
      ...change,
    },
    stdio: { kind: 'inherit', stdin: true },
    lifetime: {
      containerDir: dir,
      lockFd: -1,
      removeOnExit: false,
      removePaths: [],
      timeoutMs: 0,
      dieWithParent: false,
      ...lifetime,
    },
    label: args[0] ?? '',
    ...plan,
  };
}

function run(
  context: TestContext,
  changes: Changes,
  options: Parameters<typeof runHelper>[2] = {},
): Promise<Ended> {
  if (missing !== undefined) context.skip(missing);
  return runHelper('run', encodePlan(makePlan(changes)), options);
}

const sh = (script: string): string[] => ['sh', '-c', script];

describe('exit status', () => {
  it.each([
    ['of the command', sh('exit 7'), 7, ''],
    ['of a command that says 125 itself', sh('exit 125'), 125, ''],
    ['of a signal below', sh('sh -c "kill -9 \\$\\$"; exit $?'), 137, 'Killed\n'],
    ['of a signal', sh('kill -9 $$; exit 3'), 3, ''], // pid 1 cannot even kill itself
    [
      'not found',
      ['nope'],
      127,
      'Error: starting "nope": executable file not found in $PATH of the container\n',
    ],
    ['no such path', ['/bin/nope'], 127, 'Error: starting "/bin/nope": No such file or directory\n'],
    ['not executable', ['/etc/text'], 126, 'Error: starting "/etc/text": Permission denied\n'],
    ['a directory', ['/etc'], 126, 'Error: starting "/etc": is a directory\n'],
    [
      'no format',
      ['odd'],
      126,
      'Error: starting "odd": exec format error: neither a program for this machine nor a script with a #! line\n',
    ],
    [
      'no interpreter',
      ['lost'],
      127,
      'Error: starting "lost": the interpreter it asks for (the #! line, or the dynamic loader) is missing from the image\n',
    ],
    ['an empty name', [''], 127, 'Error: starting "": the command is an empty string\n'],
  ])('%s', async (_, args, status, stderr) => {
    if (missing !== undefined) return;
    const ended = await runHelper('run', encodePlan(makePlan({ args })));
    expect({ status: ended.status, stderr: ended.stderr }).toEqual({ status, stderr });
  });
});

describe('inside', () => {
  it('is root, pid 1, alone, on its own root and host name', async (context) => {
    const { status, stdout } = await run(context, {
      args: sh('id -u; echo $$; hostname; ls /; ls /proc/1/root/bin/busybox'),
    });
    expect(status).toBe(0);
    expect(stdout.split('\n').slice(0, 3)).toEqual(['0', '1', 'box']);
    expect(stdout).toContain('absolute\nbin\ndangling\ndev\netc\n');
  });

  it('gets arguments and environment byte for byte', async (context) => {
    const { stdout } = await run(context, {
      args: ['cat', '/proc/self/cmdline', '/proc/self/environ', '\udcff-é'].slice(0, 3),
      process: { env: ['PATH=/bin', 'ODD=\udcff\udc80é'] },
    });
    expect(stdout).toContain('cat\0/proc/self/cmdline\0');
    // The Buffer was read as UTF-8: two replacement characters for the two odd bytes.
    expect(stdout).toContain('ODD=\ufffd\ufffdé');
  });

  it('has no descriptor, signal or mask left over from us', async (context) => {
    const fds = await run(context, { args: ['ls', '/proc/self/fd'] });
    expect(fds.stdout).toBe('0\n1\n2\n3\n'); // 3 is ls's own
    const { stdout } = await run(context, { args: ['cat', '/proc/self/status'] });
    expect(stdout).toMatch(/SigBlk:\t0{16}\nSigIgn:\t0{16}\n/);
    expect(stdout).toMatch(
      /CapEff:\t00000000a80425fb\nCapBnd:\t00000000a80425fb\nCapAmb:\t0{16}\nNoNewPrivs:\t0\nSeccomp:\t2/,
    );
  });

  it('has loopback up and ping allowed', async (context) => {
    const { stdout } = await run(context, {
      args: sh('ip addr show lo; cat /proc/sys/net/ipv4/ping_group_range'),
    });
    expect(stdout).toContain('LOOPBACK,UP');
    expect(stdout).toContain('0\t0\n');
  });

  it('keeps what it writes in the upper directory, and writes the exit record', async (context) => {
    if (missing !== undefined) return context.skip(missing);
    const plan = makePlan({ args: sh('echo kept > /root/file; exit 3') });
    await runHelper('run', encodePlan(plan));
    const dir = plan.lifetime.containerDir;
    expect(readFileSync(join(dir, 'upper/root/file'), 'utf8')).toBe('kept\n');
    expect(readFileSync(join(dir, 'exit'), 'utf8')).toMatch(
      /^code=3\nsignal=0\nstartedAt=[1-9]\d{18}\nfinishedAt=[1-9]\d{18}\noom=0\nrestarts=0\nrestarting=0\nerror=\n$/,
    );
    expect(readFileSync(join(dir, 'pid'), 'utf8')).toMatch(/^\d+ \d+ [1-9]\d{18} \d+ \d+ 0\n$/);
  });

  it('is removed at the end when asked', async (context) => {
    if (missing !== undefined) return context.skip(missing);
    const names = mkdtempSync(join(work, 'names-'));
    const name = join(names, 'name');
    const plan = makePlan({
      args: sh('mkdir -p /a/b; touch /a/b/c; chmod 0 /a/b; chmod 500 /a'),
      lifetime: { removeOnExit: true, removePaths: [name] },
    });
    symlinkSync(basename(plan.lifetime.containerDir), name);
    expect(await runHelper('run', encodePlan(plan))).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(existsSync(plan.lifetime.containerDir)).toBe(false);
    expect(readdirSync(names)).toEqual([]);
  });

  it('takes its new name along, and leaves its old one to the next who has it', async (context) => {
    if (missing !== undefined) return context.skip(missing);
    const names = mkdtempSync(join(work, 'names-'));
    const plan = makePlan({
      args: sh('exit 0'),
      lifetime: { removeOnExit: true, removePaths: [join(names, 'old')] },
    });
    symlinkSync('another', join(names, 'old'));
    symlinkSync(basename(plan.lifetime.containerDir), join(names, 'new'));
    expect(await runHelper('run', encodePlan(plan))).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(readdirSync(names)).toEqual(['old']);
  });
});

describe('setup operations', () => {
  it('never leave the root file system', async (context) => {
    const host = join(work, 'host');
    mkdirSync(host);
    writeFileSync(join(host, 'mark'), 'host\n');
    const bind = (target: string): SetupOp => ({
      op: 'bind',
      source: host,
      target,
      recursive: true,
      flags: { readOnly: true },
      propagation: 'rprivate',
      create: 'dir',
    });
    const { status, stdout, stderr } = await run(context, {
      args: sh('cat /etc/one/mark /etc/two/mark /missing/dir/three/mark /four/mark; touch /etc/one/x'),
      setup: [bind('/absolute/one'), bind('/upwards/two'), bind('/dangling/three'), bind('/../../four')],
    });
    expect(stdout).toBe('host\n'.repeat(4));
    expect(stderr).toContain('Read-only file system');
    expect(status).toBe(1);
    expect(existsSync('/etc/one')).toBe(false);
  });

  it('make files and links', async (context) => {
    const { stdout } = await run(context, {
      args: sh('cat /etc/hosts; ls -ld /link /etc/hosts; mount'),
      setup: [
        { op: 'file', target: '/etc/hosts', content: '127.0.0.1 localhost\n', mode: 0o640, readOnly: true },
        { op: 'symlink', target: '/link', to: '/made' },
        { op: 'mask', target: '/proc/keys' },
        { op: 'mask', target: '/proc/scsi' },
        { op: 'mask', target: '/proc/never/was' },
        { op: 'readonly', target: '/proc/sys' },
      ],
    });
    expect(stdout).toMatch(/^127.0.0.1 localhost\n/);
    expect(stdout).toMatch(/-rw-r----- .* \/etc\/hosts\n/);
    expect(stdout).toMatch(/\/link -> \/made\n/);
    expect(stdout).toMatch(/ on \/etc\/hosts type tmpfs \(ro,nosuid,nodev,noexec/);
    expect(stdout).toMatch(/ on \/proc\/sys type proc \(ro,/);
  });

  it('make the root read-only last', async (context) => {
    const { stdout, stderr } = await run(context, {
      args: sh('pwd; touch /x'),
      setup: [{ op: 'remount-root-readonly' }],
      process: { cwd: '/made/for/me', createCwd: true },
    });
    expect(stdout).toBe('/made/for/me\n');
    expect(stderr).toContain('Read-only file system');
  });

  it.each([
    [
      'a source that is missing',
      {
        op: 'bind',
        source: '/no/such',
        target: '/x',
        recursive: true,
        flags: {},
        propagation: 'rprivate',
        create: 'dir',
      },
      'Error: opening the source of a mount "/no/such": No such file or directory\n',
    ],
    [
      'a target that is a file',
      { op: 'tmpfs', target: '/etc/text/x', flags: {}, data: '' },
      'Error: preparing a mount point in the container "/etc/text/x": Not a directory\n',
    ],
    [
      'an option that tmpfs does not know',
      { op: 'tmpfs', target: '/t', flags: {}, data: 'colour=green' },
      'Error: mounting tmpfs "/t": tmpfs: Unknown parameter \'colour\' (Invalid argument)\n',
    ],
  ] as [string, SetupOp, string][])('report %s', async (_, op, message) => {
    if (missing !== undefined) return;
    const { status, stderr } = await runHelper('run', encodePlan(makePlan({ args: ['true'], setup: [op] })));
    expect({ status, stderr }).toEqual({ status: 125, stderr: message });
  });
});

describe('privileges', () => {
  it('come with no_new_privs after seccomp, and without', async (context) => {
    const { stdout } = await run(context, {
      args: ['cat', '/proc/self/status'],
      process: { noNewPrivileges: true },
    });
    expect(stdout).toMatch(/NoNewPrivs:\t1\nSeccomp:\t2/);
  });

  it('are what the plan says', async (context) => {
    const sets = { bounding: 3n, effective: 1n, permitted: 3n, inheritable: 2n, ambient: 2n };
    const { stdout, stderr } = await run(context, {
      args: ['cat', '/proc/self/status'],
      process: { capabilities: sets, seccomp: 'unconfined' },
    });
    expect(stderr).toBe('');
    expect(stdout).toMatch(/CapBnd:\t0{15}3\nCapAmb:\t0{15}2\nNoNewPrivs:\t0\nSeccomp:\t0/);
  });

  it('refuse an id that is not mapped', async (context) => {
    const { status, stderr } = await run(context, { args: ['true'], process: { containerUid: 5 } });
    expect(stderr).toBe(
      'Error: changing to the user "5:0": outside of the container\'s range of ids (Invalid argument)\n',
    );
    expect(status).toBe(125);
  });

  it('take a filter of the plan, and refuse a broken one', async (context) => {
    const execve = process.arch === 'arm64' ? 221 : 59;
    const denyExecve = Uint8Array.of(
      ...[0x20, 0, 0, 0, 0, 0, 0, 0], // load the number
      ...[0x15, 0, 0, 1, execve, 0, 0, 0], // execve? else skip one
      ...[0x06, 0, 0, 0, 1, 0, 5, 0], // EPERM
      ...[0x06, 0, 0, 0, 0, 0, 255, 127], // allow
    );
    const denied = await run(context, { args: ['true'], process: { seccomp: denyExecve } });
    expect(denied).toMatchObject({
      status: 126,
      stderr: 'Error: starting "true": Operation not permitted\n',
    });
    const broken = await run(context, { args: ['true'], process: { seccomp: Uint8Array.of(1, 2, 3) } });
    expect(broken).toMatchObject({
      status: 125,
      stderr: 'Error: installing the seccomp filter: Invalid argument\n',
    });
  });

  it('clamp limits instead of failing', async (context) => {
    const { status, stdout } = await run(context, {
      args: sh('ulimit -n; ulimit -Hn'),
      process: { rlimits: [{ resource: 7, soft: 64n, hard: 128n }] },
    });
    expect({ status, stdout }).toEqual({ status: 0, stdout: '64\n128\n' });
    const over = await run(context, {
      args: sh('exit 0'),
      process: { rlimits: [{ resource: 7, soft: 1n << 40n, hard: 1n << 40n }] },
    });
    expect(over.status).toBe(0);
  });
});

describe('signals', () => {
  const after = (ms: number, name: NodeJS.Signals) => async (pid: number) => {
    await new Promise((resolve) => setTimeout(resolve, ms));
    process.kill(pid, name);
  };
  /** Sends `name` once the container has made the file `mark` in its root. */
  function once(plan: HelperPlan, name: NodeJS.Signals) {
    return async (pid: number) => {
      const mark = join(plan.lifetime.containerDir, 'upper/mark');
      while (!existsSync(mark)) await new Promise((resolve) => setTimeout(resolve, 10));
      await after(20, name)(pid);
    };
  }

  it.each([
    ['carried out for a pid 1 without a handler', 'touch /mark; exec sleep 60', 'SIGTERM', false, 143],
    [
      'handed to one that has one',
      'trap "exit 5" TERM; touch /mark; while :; do sleep 0.05; done',
      'SIGTERM',
      false,
      5,
    ],
    ['left to one that ignores it', 'trap "" INT; touch /mark; sleep 0.5; exit 4', 'SIGINT', false, 4],
    ['passed on by --init', 'touch /mark; exec sleep 60', 'SIGTERM', true, 143],
    [
      'passed on by --init to a handler',
      'trap "exit 6" HUP; touch /mark; while :; do sleep 0.05; done',
      'SIGHUP',
      true,
      6,
    ],
    ['of users as well', 'touch /mark; exec sleep 60', 'SIGUSR1', false, 138],
  ] as [string, string, NodeJS.Signals, boolean, number][])(
    'are %s',
    async (_, script, name, init, status) => {
      if (missing !== undefined) return;
      const plan = makePlan({ args: sh(script), process: { init } });
      const ended = await runHelper('run', encodePlan(plan), { signal: once(plan, name) });
      expect(ended.status).toBe(status);
    },
  );

  it('end the container after the time-out', async (context) => {
    const { status } = await run(context, { args: ['sleep', '60'], lifetime: { timeoutMs: 50 } });
    expect(status).toBe(137);
  });
});

describe('a group that cannot be made', () => {
  it('is said once, and probes of the health check do not look for it', async (context) => {
    if (missing !== undefined) return context.skip(missing);
    const group = join(work, 'rootfs/etc/text/group');
    const plan = makePlan({
      args: ['sleep', '60'],
      process: { init: true },
      plan: {
        cgroup: {
          groups: [group],
          version: 2,
          limits: [],
          record: 'version=2\n',
          asked: true,
          required: false,
        },
        health: {
          args: sh('exit 0'),
          intervalMs: 20,
          timeoutMs: 10_000,
          startPeriodMs: 0,
          startIntervalMs: 20,
          retries: 1,
          timeoutText: '10s',
          action: 'none',
          stopSignal: 15,
          stopTimeoutMs: undefined,
        },
      },
    });
    const record = join(plan.lifetime.containerDir, 'health');
    const probes = (): number =>
      existsSync(record) ? readFileSync(record, 'utf8').split('"ExitCode":0').length - 1 : 0;
    const ended = await runHelper('run', encodePlan(plan), {
      signal: async (pid) => {
        await expect.poll(probes, { timeout: 20_000 }).toBeGreaterThan(1);
        process.kill(pid, 'SIGTERM');
      },
    });
    expect(ended).toEqual({
      status: 143,
      stdout: '',
      stderr: `Warning: giving the container a cgroup "${group}": Not a directory; going on without limits\n`,
    });
    expect(existsSync(join(plan.lifetime.containerDir, 'cgroup'))).toBe(false);
  });
});

describe('a group of cgroup v1', () => {
  const pids = '/sys/fs/cgroup/pids';

  it('goes with whatever was made in it, by names that are longer than a path may be', async (context) => {
    if (missing !== undefined) return context.skip(missing);
    if (uid !== 0 || !existsSync(`${pids}/cgroup.procs`)) return context.skip('not root, or no cgroup v1');
    const group = `${pids}/skiff-test-${process.pid}`;
    const plan = makePlan({
      args: ['sleep', '60'],
      process: { init: true },
      plan: {
        cgroup: { groups: [group], version: 1, limits: [], record: '', asked: true, required: true },
      },
    });
    const started = join(plan.lifetime.containerDir, 'pid');
    const nest =
      'for (let i = 0; i < 40; i++) { fs.mkdirSync("x".repeat(200)); process.chdir("x".repeat(200)); }';
    const ended = await runHelper('run', encodePlan(plan), {
      signal: async (pid) => {
        await expect.poll(() => existsSync(started), { timeout: 20_000 }).toBe(true);
        const made = spawnSync(process.execPath, ['-e', nest], { cwd: group, encoding: 'utf8' });
        expect(made).toMatchObject({ status: 0, stderr: '' });
        process.kill(pid, 'SIGTERM');
      },
    });
    expect(ended).toEqual({ status: 143, stdout: '', stderr: '' });
    expect(existsSync(group)).toBe(false);
  });
});

describe('pipes', () => {
  it('copy both ways and log', async (context) => {
    if (missing !== undefined) return context.skip(missing);
    const log = join(work, 'log');
    const plan = makePlan({
      args: sh('cat; echo "to \\"stderr\\"" >&2; printf "\\377no newline"'),
      plan: { stdio: { kind: 'pipes', stdin: true, log: { path: log, maxSizeBytes: 0, maxFiles: 1 } } },
    });
    const input = `${'x'.repeat(40_000)}\n`.repeat(20);
    const ended = await runHelper('run', encodePlan(plan), { input });
    expect(ended.stdout).toBe(`${input}\ufffdno newline`);
    expect(ended.stderr).toBe('to "stderr"\n');
    const entries = readFileSync(log, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { log: string; stream: string; time: string });
    const text = (stream: string): string =>
      entries
        .filter((entry) => entry.stream === stream)
        .map((entry) => entry.log)
        .join('');
    expect(text('stdout')).toBe(`${input}\ufffdno newline`);
    expect(text('stderr')).toBe('to "stderr"\n');
    expect(Math.max(...entries.map((entry) => entry.log.length))).toBe(16 * 1024);
    for (const { time } of entries) expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
  });
});

describe('one pipe', () => {
  it('keeps the order of what is written', async (context) => {
    const script = 'for i in 1 2 3 4 5 6 7 8 9; do echo out; echo err >&2; done';
    const ended = await run(context, { args: sh(script), plan: { stdio: { kind: 'pipe', stdin: false } } });
    expect(ended).toEqual({ status: 0, stdout: 'out\nerr\n'.repeat(9), stderr: '' });
  });
});

describe('the other modes', () => {
  it('execute a command as root of a user namespace', async (context) => {
    if (missing !== undefined) return context.skip(missing);
    const argv = ['/bin/sh', '-c', 'id -u; cat; exit 9'];
    const ended = await runHelper('userns', encodeUserNamespaceCommand({ user, argv, dieWithParent: true }), {
      input: 'through\n',
    });
    expect(ended).toEqual({ status: 9, stdout: '0\nthrough\n', stderr: '' });
    const lost = encodeUserNamespaceCommand({ user, argv: ['/no/such'], dieWithParent: false });
    expect(await runHelper('userns', lost)).toEqual({
      status: 127,
      stdout: '',
      stderr: 'Error: starting "/no/such": No such file or directory\n',
    });
  });

  it('remove trees, closed directories too, and never follow links', async (context) => {
    if (missing !== undefined) return context.skip(missing);
    const tree = join(work, 'tree');
    const outside = join(work, 'outside');
    mkdirSync(join(tree, 'a/b'), { recursive: true });
    mkdirSync(outside);
    writeFileSync(join(outside, 'kept'), '');
    symlinkSync(outside, join(tree, 'a/link'));
    for (let i = 0; i < 300; i++) writeFileSync(join(tree, 'a/b', `file ${i}`), '');
    chmodSync(join(tree, 'a/b'), 0);
    chmodSync(join(tree, 'a'), 0o500);
    const paths = [tree, join(work, 'never was')];
    expect(await runHelper('remove', encodeRemoveCommand({ user, paths }))).toEqual({
      status: 0,
      stdout: '',
      stderr: '',
    });
    expect(existsSync(tree)).toBe(false);
    expect(lstatSync(join(outside, 'kept')).isFile()).toBe(true);
  });
});
