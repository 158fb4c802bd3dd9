// Limits by cgroups. As root on cgroup v1 they are set and held; an ordinary user without cgroup v2 is told so. With systemd
// and cgroup v2: test/vm/run.sh.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { ROOT } from '../helpers/accounts.ts';
import { sandbox } from '../helpers/engine.ts';
import { requires } from '../helpers/requires.ts';
import { world } from '../helpers/world.ts';

const NOTE = /^Warning: (.*): not honoured: /;

describe('as root, on cgroup v1', () => {
  const skiff = sandbox({ user: ROOT });
  const run = ['run', '--network', 'none'];

  /** What is left of groups below any hierarchy; those of other runs on this machine have other ids. */
  const groupsOf = (id: string): string[] => {
    const record = `${skiff.store}/containers/${id}/cgroup`;
    return existsSync(record)
      ? readFileSync(record, 'utf8')
          .split('\n')
          .flatMap((line) => (line.includes('=/') ? [line.slice(line.indexOf('=') + 1)] : []))
      : [];
  };
  const idOf = async (name: string): Promise<string> =>
    (await skiff.run(['inspect', '-f', '{{.Id}}', name])).stdout.trim();
  const groupOf = (id: string, controller: string): string =>
    groupsOf(id).find((dir) => dir.startsWith(`/sys/fs/cgroup/${controller}`)) ?? `no ${controller}`;
  const file = (dir: string, name: string): string => readFileSync(`${dir}/${name}`, 'utf8').trim();

  afterEach(async () => {
    await skiff.run(['rm', '--force', '--all'], { stdout: /^/, stderr: /^/, status: null });
  });

  test('load', async (context) => {
    requires(context, 'root', 'cgroup1', 'busybox-image');
    await skiff.run(['load', '--quiet', '--input', world().fixtures.busyboxDockerArchive ?? ''], {
      stdout: /^/,
    });
  });

  test('the container sees its own limits, and cannot change them', async (context) => {
    requires(context, 'root', 'cgroup1', 'busybox-image');
    const script = [
      'cat memory/memory.limit_in_bytes pids/pids.max',
      'grep -c . systemd/cgroup.procs',
      'cat memory/cgroup.procs',
      'echo 1 >pids/pids.max; mkdir memory/x; mkdir x',
      'grep " /sys/fs/cgroup" /proc/mounts | grep -vc "[ ,]ro,nosuid,nodev,noexec,"',
    ];
    const limits = ['-m', '64m', '--pids-limit', '100'];
    const { stdout, stderr } = await skiff.run(
      [...run, '--rm', ...limits, '-w', '/sys/fs/cgroup', 'busybox', 'sh', '-c', script.join('; ')],
      { status: 1, stderr: /^/, stdout: /^/ },
    );
    // The shell and what it executes.
    expect(stdout).toMatch(/^67108864\n100\n[1-9]\d*\n1\n\d+\n0\n$/);
    expect(stderr.match(/Read-only file system/g)).toHaveLength(3);
  });

  test('--memory kills who takes more, and says so', async (context) => {
    requires(context, 'root', 'cgroup1', 'busybox-image');
    const killed = 'Warning: the container was killed: out of memory at its limit of 64 MiB (--memory)\n';
    const eat = ['busybox', 'tail', '/dev/zero'];
    await skiff.run([...run, '--name', 'eater', '-m', '64m', ...eat], { status: 137, stderr: killed });
    await skiff.run(
      ['inspect', '-f', '{{.State.OOMKilled}} {{.State.ExitCode}} {{.HostConfig.Memory}}', 'eater'],
      {
        stdout: 'true 137 67108864\n',
      },
    );
    await skiff.run(
      [
        'events',
        '--stream=false',
        '-f',
        'container=eater',
        '-f',
        'event=oom',
        '-f',
        'event=die',
        '--format',
        '{{.Action}}',
      ],
      { stdout: 'oom\ndie\n' },
    );
    await skiff.run([...run, '--rm', '-m', '64m', ...eat], { status: 137, stderr: killed });
    // A child that is killed need not be the container's end.
    await skiff.run([...run, '--rm', '-m', '64m', 'busybox', 'sh', '-c', 'tail /dev/zero; echo on'], {
      stdout: 'on\n',
      stderr: /^Warning: a process of the container was killed: out of memory /m,
    });
    await skiff.run([...run, '--name', 'fine', '-m', '64m', 'busybox', 'true']);
    await skiff.run(['inspect', '-f', '{{.State.OOMKilled}}', 'fine'], { stdout: 'false\n' });
  });

  test('--pids-limit stops forks', async (context) => {
    requires(context, 'root', 'cgroup1', 'busybox-image');
    const forks = 'i=0; while [ $i -lt 40 ]; do sleep 5 & i=$((i+1)); done';
    await skiff.run([...run, '--rm', '--pids-limit', '20', 'busybox', 'sh', '-c', forks], {
      status: 2,
      stderr: /can't fork: Resource temporarily unavailable/,
    });
  });

  test('limits are files of the group, which exec joins, and which goes with the container', async (context) => {
    requires(context, 'root', 'cgroup1', 'busybox-image');
    const limits = [
      '--cpus',
      '0.5',
      '--cpu-shares',
      '512',
      '--cpuset-cpus',
      '0',
      '-m',
      '64m',
      '--memory-swap',
      '64m',
    ];
    await skiff.run(
      [...run, '-d', '--name', 'web', ...limits, '--pids-limit', '50', 'busybox', 'sleep', '1000'],
      {
        stdout: /^/,
      },
    );
    const id = await idOf('web');
    const groups = groupsOf(id);
    expect(file(groupOf(id, 'cpu'), 'cpu.cfs_quota_us')).toBe('50000');
    expect(file(groupOf(id, 'cpu'), 'cpu.shares')).toBe('512');
    expect(file(groupOf(id, 'cpuset'), 'cpuset.cpus')).toBe('0');
    expect(file(groupOf(id, 'memory'), 'memory.limit_in_bytes')).toBe('67108864');
    expect(file(groupOf(id, 'memory'), 'memory.memsw.limit_in_bytes')).toBe('67108864');
    expect(file(groupOf(id, 'pids'), 'pids.max')).toBe('50');
    const more = skiff.start(['exec', 'web', 'sh', '-c', 'echo in; exec sleep 1000']);
    await more.waitForStdout(/in/);
    for (const group of groups) expect(file(group, 'cgroup.procs').split('\n')).toHaveLength(2);
    // Its cgroup namespace begins at its own group.
    await skiff.run(['exec', 'web', 'grep', '-c', ':/$', '/proc/self/cgroup'], { stdout: /^(8|9|\d\d)\n$/ });
    await skiff.run(['rm', '--force', 'web'], { stdout: 'web\n' });
    await more.result;
    expect(groups.filter((group) => existsSync(group))).toEqual([]);
  });

  test('what a killed monitor leaves is removed by whoever comes next', async (context) => {
    requires(context, 'root', 'cgroup1', 'busybox-image');
    // With the host's pids, a process of the container can outlive both its init and the monitor.
    const script = 'setsid sleep 1000 & exec sleep 1000';
    await skiff.run([...run, '-d', '--name', 'lost', '--pid', 'host', 'busybox', 'sh', '-c', script], {
      stdout: /^/,
      stderr: /^/,
    });
    const id = await idOf('lost');
    const groups = groupsOf(id);
    const [, , , monitor] = readFileSync(`${skiff.store}/containers/${id}/pid`, 'utf8').split(' ');
    await expect.poll(() => file(groups[0] ?? '', 'cgroup.procs').split('\n').length).toBe(2);
    process.kill(Number(monitor), 'SIGKILL');
    await expect
      .poll(async () => (await skiff.run(['inspect', '-f', '{{.State.Status}}', 'lost'])).stdout)
      .toBe('exited\n');
    expect(groups.filter((group) => existsSync(group))).toEqual(groups);
    await skiff.run(['start', 'lost'], { stdout: 'lost\n' });
    expect(groups.filter((group) => existsSync(group))).toEqual(groups);
    await expect.poll(() => file(groups[0] ?? '', 'cgroup.procs').split('\n').length).toBe(2);
    await skiff.run(['rm', '--force', 'lost'], { stdout: 'lost\n' });
    expect(groups.filter((group) => existsSync(group))).toEqual([]);
  });

  test('a restart policy keeps group and limits; each life counts its own kills', async (context) => {
    requires(context, 'root', 'cgroup1', 'busybox-image');
    const script = 'test -e /again && exit 3; touch /again; exec tail /dev/zero';
    await skiff.run(
      [...run, '--name', 'again', '--restart', 'on-failure:1', '-m', '64m', 'busybox', 'sh', '-c', script],
      { status: null, stderr: /^Warning: the container was killed: out of memory / },
    );
    await expect
      .poll(async () => (await skiff.run(['inspect', '-f', '{{.State.Status}}', 'again'])).stdout)
      .toBe('exited\n');
    await skiff.run(
      ['inspect', '-f', '{{.State.ExitCode}} {{.RestartCount}} {{.State.OOMKilled}}', 'again'],
      {
        stdout: '3 1 false\n',
      },
    );
  });

  test('start of several, --cgroup-parent, no group for a plain run --rm', async (context) => {
    requires(context, 'root', 'cgroup1', 'busybox-image');
    const parent = `skiff-test-${process.pid}`;
    for (const name of ['a', 'b'])
      await skiff.run(
        [
          'create',
          '--network',
          'none',
          '--name',
          name,
          '--pids-limit',
          '7',
          '--cgroup-parent',
          parent,
          'busybox',
          'sleep',
          '1000',
        ],
        { stdout: /^/ },
      );
    await skiff.run(['start', 'a', 'b'], { stdout: 'a\nb\n' });
    for (const name of ['a', 'b']) {
      const pids = groupOf(await idOf(name), 'pids');
      expect(pids).toContain(`/${parent}/skiff-`);
      expect(file(pids, 'pids.max')).toBe('7');
    }
    await skiff.run(['rm', '--force', 'a', 'b'], { stdout: 'a\nb\n' });
    const { rmdirSync } = await import('node:fs');
    for (const controller of ['memory', 'cpu', 'cpuacct', 'cpuset', 'pids', 'freezer', 'blkio']) {
      expect(
        readdirSync(`/sys/fs/cgroup/${controller}/${parent}`).filter((name) => name.startsWith('skiff-')),
      ).toEqual([]);
      rmdirSync(`/sys/fs/cgroup/${controller}/${parent}`);
    }
    const own = await skiff.run([
      ...run,
      '--rm',
      '--cgroupns',
      'host',
      'busybox',
      'cat',
      '/proc/self/cgroup',
    ]);
    expect(own.stdout).not.toContain('skiff-');
  });

  test('a limit the kernel refuses is an error under --require-limits', async (context) => {
    requires(context, 'root', 'cgroup1', 'busybox-image');
    // Without its own accounting of swap the kernel takes no swappiness beyond 100 and no weight for a device without bfq.
    const weight = ['--blkio-weight', '100'];
    const { stderr } = await skiff.run([...run, '--rm', ...weight, 'busybox', 'true'], { stderr: /^/ });
    if (stderr === '') return;
    expect(stderr).toMatch(/^Warning: setting the limit "--blkio-weight": .*; going on without it\n$/);
    await skiff.run([...run, '--rm', '--require-limits', ...weight, 'busybox', 'true'], {
      status: 125,
      stderr: /^Error: setting the limit "--blkio-weight": /,
    });
    await skiff.run(['ps', '-aq'], { stdout: '' });
  });
});

describe('as an ordinary user without cgroup v2', () => {
  const skiff = sandbox({ sharedStore: true });
  const run = ['run', '--rm', '--network', 'none'];
  const limits = ['-m', '64m', '--cpus', '0.5', '--pids-limit', '20'];

  test('what cannot be honoured is said once, and the run goes on', async (context) => {
    requires(context, 'cgroup1');
    const { stderr } = await skiff.run([...run, ...limits, 'busybox', 'echo', 'on'], {
      stdout: 'on\n',
      stderr: NOTE,
    });
    expect(NOTE.exec(stderr)?.[1]).toBe('--memory, --cpus, --pids-limit');
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    await skiff.run([...run, 'busybox', 'true']);
  });

  test('--require-limits makes it an error, before anything is made', async (context) => {
    requires(context, 'cgroup1');
    for (const command of [run, ['create']]) {
      await skiff.run([...command, '--require-limits', ...limits, '--name', 'never', 'busybox', 'true'], {
        status: 125,
        stderr: /^Error: --memory, --cpus, --pids-limit: cannot be honoured \(--require-limits\): .*\nHint: /,
      });
    }
    await skiff.run(['ps', '-aq', '--filter', 'name=never'], { stdout: '' });
    await skiff.run([...run, '--require-limits', 'busybox', 'true']);
  });

  test('--plan shows it', async (context) => {
    requires(context, 'cgroup1');
    await skiff.run([...run, '--plan', ...limits, 'busybox'], {
      stdout: /limit: +memory=67108864 \(not honoured\)[^]*limit: +cpus=0\.5 \(not honoured\)/,
    });
  });

  test('mistakes are told before anything else', async () => {
    await skiff.run([...run, '-m', '1k', 'no/such/image'], {
      status: 125,
      stderr: /^Error: --memory "1 KiB": minimum memory limit allowed is 6MB\n$/,
    });
  });
});
