// Called by root: no user namespace unless asked, the same contract.

import { expect, test } from 'vitest';
import { ROOT } from '../helpers/accounts.ts';
import { sandbox } from '../helpers/engine.ts';
import { requires } from '../helpers/requires.ts';
import { world } from '../helpers/world.ts';

const skiff = sandbox({ user: ROOT });
const none = ['run', '--rm', '--network', 'none'];

test('load and run without a user namespace', async (context) => {
  requires(context, 'root', 'busybox-image');
  await skiff.run(['load', '--quiet', '--input', world().fixtures.busyboxDockerArchive ?? ''], {
    stdout: /^/,
    stderr: /^/,
  });
  const { stdout } = await skiff.run([...none, 'busybox', 'cat', '/proc/self/uid_map']);
  expect(stdout.trim().split(/\s+/)).toEqual(['0', '0', '4294967295']);
});

test('capabilities are docker’s, /proc is masked', async (context) => {
  requires(context, 'root', 'busybox-image');
  await skiff.run([...none, 'busybox', 'grep', 'CapEff', '/proc/self/status'], {
    stdout: 'CapEff:\t00000000a80425fb\n',
  });
  await skiff.run([...none, 'busybox', 'sh', '-c', 'echo x >/proc/sys/vm/swappiness'], {
    status: 1,
    stdout: '',
    stderr: /Read-only/,
  });
});

test('exit statuses, default network, --userns', async (context) => {
  requires(context, 'root', 'busybox-image');
  await skiff.run([...none, 'busybox', 'sh', '-c', 'exit 9'], { status: 9 });
  await skiff.run([...none, 'busybox', '/no/such'], { status: 127, stderr: /no\/such/ });
  requires(context, 'tun');
  await skiff.run(['run', '--rm', 'busybox', 'sh', '-c', 'ip route | grep -c ^default'], { stdout: '1\n' });
});

test('a stopped container can be listed and removed', async (context) => {
  requires(context, 'root', 'busybox-image');
  await skiff.run(['run', '--name', 'rooted', '--network', 'none', 'busybox', 'true']);
  await skiff.run(['ps', '-a', '--format', '{{.Names}}'], { stdout: 'rooted\n' });
  await skiff.run(['rm', 'rooted'], { stdout: 'rooted\n' });
});
