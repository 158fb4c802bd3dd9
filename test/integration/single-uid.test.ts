// Without subordinate ids, or without newuidmap, a run works with a single id and says so in one line.

import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { sandbox } from '../helpers/engine.ts';
import { execAny } from '../helpers/exec.ts';
import { requires } from '../helpers/requires.ts';
import { world } from '../helpers/world.ts';

const { userWithoutRanges, fixtures, user } = world();
const skiff = sandbox(userWithoutRanges ? { user: userWithoutRanges } : {});
const ranged = sandbox();
const none = ['run', '--rm', '--network', 'none', 'busybox'];

/** One line that names what is missing. */
const NOTE = /^[^\n]*(single|one) (uid|id|user)[^\n]*\n$/i;

test('no line in /etc/subuid', async (context) => {
  requires(context, 'user-without-ranges', 'busybox-image');
  await skiff.run(['load', '--quiet', '--input', fixtures.busyboxOciArchive ?? ''], {
    stdout: /^/,
    stderr: /^/,
  });
  await skiff.run([...none, 'sh', '-c', 'id -u; echo x >/new; cat /new; wc -l </proc/self/uid_map'], {
    stdout: '0\nx\n1\n',
    stderr: NOTE,
  });
  await skiff.run([...none, 'sh', '-c', 'chown 1000 /etc/passwd'], { status: 1, stderr: /./ });
});

test('exit statuses and streams are the same', async (context) => {
  requires(context, 'user-without-ranges', 'busybox-image');
  await skiff.run([...none, 'sh', '-c', 'exit 42'], { status: 42, stderr: NOTE });
  await skiff.run([...none, '/no/such'], { status: 127, stderr: /no\/such/ });
});

test('newuidmap is not installed', async (context) => {
  requires(context, 'root', 'busybox-image');
  const hide = ['newuidmap', 'newgidmap']
    .flatMap((name) => [`/usr/bin/${name}`, `/bin/${name}`])
    .filter((path) => existsSync(path))
    .map((path) => `mount --bind /dev/null ${path}`)
    .join('; ');
  const become = `exec setpriv --reuid=${user.uid} --regid=${user.gid} --clear-groups "$@"`;
  const run = (...args: string[]) =>
    execAny('unshare', ['--mount', 'sh', '-ec', `${hide}\n${become}`, 'sh', ...ranged.words(args)], {
      env: ranged.env,
      cwd: '/',
    });
  expect(await run('load', '--quiet', '--input', fixtures.busyboxOciArchive ?? '')).toMatchObject({
    status: 0,
  });
  const { status, stdout, stderr } = await run(...none, 'id', '-u');
  expect({ status, stdout }).toEqual({ status: 0, stdout: '0\n' });
  expect(stderr).toMatch(NOTE);
});
