// The same command lines through podman and skiff: status and stdout must be the same, so that one can stand in for the
// other. What differs on purpose is not here but in docs/.

import { chownSync, mkdirSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { podmanEnvironment, preparePodman, stopPodman } from '../../bench/peers.ts';
import { isRoot } from '../helpers/accounts.ts';
import { sandbox } from '../helpers/engine.ts';
import { execAny } from '../helpers/exec.ts';
import { requires } from '../helpers/requires.ts';
import { world } from '../helpers/world.ts';

const skiff = sandbox({ sharedStore: true });
const env = { ...skiff.env };
let podman: string[] | undefined;

beforeAll(async () => {
  if (world().missing.podman !== undefined || world().missing['busybox-image'] !== undefined) return;
  const dir = `${skiff.dir}/peer`;
  for (const path of [dir, `${dir}/podman-store`, `${dir}/run`]) {
    mkdirSync(path);
    if (isRoot()) chownSync(path, skiff.user.uid, skiff.user.gid);
  }
  Object.assign(env, podmanEnvironment(dir));
  podman = await preparePodman({ dir, user: skiff.user, env }, world().fixtures.busyboxOciArchive ?? '');
});

afterAll(async () => {
  if (podman === undefined) return;
  await stopPodman({ dir: skiff.dir, user: skiff.user, env });
  // podman's locks outlive it. The test users' are nobody else's.
  if (isRoot()) rmSync(`/dev/shm/libpod_rootless_lock_${skiff.user.uid}`, { force: true });
});

/** Arguments of `run --rm --network none`, the image and command included. */
const SAME: string[][] = [
  ['busybox', 'true'],
  ['busybox', 'sh', '-c', 'exit 3'],
  ['busybox', '/no/such'],
  ['busybox', '/etc/not-executable'],
  ['busybox', 'sh', '-c', 'echo "$0 $*"', 'a', 'b c'],
  ['busybox', 'sh', '-c', 'id -u; id -g'], // docker, unlike podman, repeats root's group among the supplementary ones
  ['-u', 'app', 'busybox', 'id'],
  ['-u', '1000:29', 'busybox', 'id'],
  ['-u', 'app', 'busybox', 'sh', '-c', 'echo $HOME; pwd'],
  ['-w', '/var/log', 'busybox', 'pwd'],
  ['-e', 'A=b', '-e', 'C', 'busybox', 'sh', '-c', 'echo "$A,$C"'],
  ['-h', 'name', 'busybox', 'hostname'],
  ['--entrypoint', 'echo', 'busybox', 'x'],
  ['--entrypoint', '["echo","y"]', 'busybox', 'x'],
  ['--entrypoint', '', 'busybox', 'echo', 'z'],
  ['--read-only', 'busybox', 'touch', '/x'],
  ['--tmpfs', '/t', 'busybox', 'sh', '-c', 'touch /t/x && ls /t'],
  ['--cap-drop', 'all', 'busybox', 'grep', 'CapEff', '/proc/self/status'],
  ['--security-opt', 'no-new-privileges', 'busybox', 'grep', 'NoNewPrivs', '/proc/self/status'],
  ['--ulimit', 'nofile=64:64', 'busybox', 'sh', '-c', 'ulimit -n'],
  ['--shm-size', '1m', 'busybox', 'sh', '-c', 'df -k /dev/shm | tail -1 | tr -s " " | cut -d" " -f2'],
  ['--add-host', 'a.test:10.0.0.9', 'busybox', 'grep', 'a.test', '/etc/hosts'],
  ['-t', 'busybox', 'echo', 'on a terminal'],
  ['--no-such-flag', 'busybox', 'true'],
  ['--pull', 'never', 'localhost/nosuch', 'true'],
  [
    '-v',
    '/etc/passwd:/host-passwd:ro',
    'busybox',
    'sh',
    '-c',
    'test -s /host-passwd && echo x >/host-passwd',
  ],
  ['-v', '/no/such/dir:/x', 'busybox', 'true'],
  ['--mount', 'type=tmpfs,destination=/t,tmpfs-mode=0700', 'busybox', 'stat', '-c', '%a', '/t'],
  ['--group-add', '1234', 'busybox', 'sh', '-c', 'id -G | grep -c 1234'],
  ['--sysctl', 'kernel.msgmax=4000', 'busybox', 'cat', '/proc/sys/kernel/msgmax'],
  ['--stop-signal', 'SIGNONSENSE', 'busybox', 'true'],
  ['--env', 'HOME=/mine', 'busybox', 'sh', '-c', 'echo $HOME'],
];

describe('run --rm --network none', () => {
  test.for(SAME.map((args) => [args.join(' '), args] as const))('%s', async ([, args], context) => {
    requires(context, 'podman', 'busybox-image');
    if (podman === undefined) return context.skip('podman cannot run a container here');
    const [command = '', ...words] = [...podman, 'run', '--rm', '--network', 'none', ...args];
    const ids = isRoot() ? { uid: skiff.user.uid, gid: skiff.user.gid } : {};
    const ours = await skiff.run(['run', '--rm', '--network', 'none', ...args], {
      status: null,
      stderr: /^/,
    });
    let peer = await execAny(command, words, { env, cwd: '/', ...ids });
    // podman now and then loses the output of a short container, so it is asked again; we are not.
    for (let more = 2; more > 0 && peer.stdout === '' && ours.stdout !== ''; more--)
      peer = await execAny(command, words, { env, cwd: '/', ...ids });
    expect({ status: ours.status, stdout: ours.stdout }, peer.stderr).toEqual({
      status: peer.status,
      stdout: peer.stdout,
    });
  });
});
