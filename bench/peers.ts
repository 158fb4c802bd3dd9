// What skiff is compared with, set up so that each does its best: podman on native overlay without an event log, crun
// and bubblewrap with a prepared root filesystem as the floor. All run as the same ordinary user.

import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { isRoot, type Account } from '../test/helpers/accounts.ts';
import { exec, execAny } from '../test/helpers/exec.ts';
import { hasProgram } from '../test/setup/probe.ts';

export interface Bench {
  dir: string;
  user: Account;
  /** Environment of every measured command. */
  env: Record<string, string>;
}

/** Runs `command` as the user of the bench with its environment. */
export function asUser({ user, env }: Bench, command: string, args: readonly string[]): Promise<string> {
  return exec(command, args, { env, cwd: '/', ...(isRoot() ? { uid: user.uid, gid: user.gid } : {}) });
}

/** Variables that point podman at a store of its own. */
export function podmanEnvironment(dir: string): Record<string, string> {
  mkdirSync(`${dir}/podman`, { mode: 0o755 });
  writeFileSync(
    `${dir}/podman/storage.conf`,
    `[storage]\ndriver = "overlay"\nrunroot = "${dir}/run/podman"\ngraphroot = "${dir}/podman-store"\nrootless_storage_path = "${dir}/podman-store"\n`,
  );
  writeFileSync(
    `${dir}/podman/containers.conf`,
    '[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "none"\n[containers]\nlog_driver = "k8s-file"\n',
  );
  return {
    CONTAINERS_STORAGE_CONF: `${dir}/podman/storage.conf`,
    CONTAINERS_CONF: `${dir}/podman/containers.conf`,
  };
}

/**
 * The words that start podman here, with `busybox` loaded from `archive`; undefined where it is missing or cannot run
 * a container with any runtime, and then it says why on stderr.
 */
export async function preparePodman(bench: Bench, archive: string): Promise<string[] | undefined> {
  if (!hasProgram('podman')) return undefined;
  let reason = '';
  for (const runtime of ['crun', 'runc']) {
    const podman = ['podman', '--runtime', runtime];
    try {
      await asUser(bench, 'podman', ['load', '--quiet', '--input', archive]);
      await asUser(bench, 'podman', [
        ...podman.slice(1),
        'run',
        '--rm',
        '--network',
        'none',
        'busybox',
        'true',
      ]);
      return podman;
    } catch (error) {
      reason = (error as Error).message;
    }
  }
  console.error(`podman cannot run a container here, so it is left out: ${reason}`);
  return undefined;
}

/** Command lines of the floor: a container from a prepared root filesystem, nothing else. */
export async function prepareFloor(
  bench: Bench,
  busybox: string,
): Promise<{ name: string; words: string[] }[]> {
  const bundle = `${bench.dir}/bundle`;
  await asUser(bench, 'mkdir', [
    '-p',
    `${bundle}/rootfs/bin`,
    `${bundle}/rootfs/proc`,
    `${bundle}/rootfs/dev`,
    `${bundle}/rootfs/sys`,
  ]);
  await asUser(bench, 'cp', [busybox, `${bundle}/rootfs/bin/busybox`]);
  await asUser(bench, 'ln', ['-sf', 'busybox', `${bundle}/rootfs/bin/true`]);
  const floor: { name: string; words: string[] }[] = [];
  if (hasProgram('crun')) {
    await asUser(bench, 'sh', ['-c', `cd '${bundle}' && crun spec --rootless`]);
    const config = JSON.parse(await asUser(bench, 'cat', [`${bundle}/config.json`])) as {
      process: { terminal: boolean; args: string[] };
    };
    config.process.terminal = false;
    config.process.args = ['/bin/true'];
    writeFileSync(`${bundle}/config.json`, JSON.stringify(config));
    floor.push({
      name: 'crun',
      words: ['crun', '--cgroup-manager=disabled', 'run', '--bundle', bundle, 'bench'],
    });
  }
  if (hasProgram('bwrap')) {
    const mounts = ['--bind', `${bundle}/rootfs`, '/', '--proc', '/proc', '--dev', '/dev'];
    floor.push({ name: 'bwrap', words: ['bwrap', '--unshare-all', ...mounts, '/bin/true'] });
  }
  const working: typeof floor = [];
  for (const peer of floor) {
    const [command = '', ...args] = peer.words;
    const ids = isRoot() ? { uid: bench.user.uid, gid: bench.user.gid } : {};
    const { status, stderr } = await execAny(command, args, { env: bench.env, cwd: '/', ...ids });
    if (status === 0) working.push(peer);
    else console.error(`${peer.name} cannot run a container here, so it is left out: ${stderr.trim()}`);
  }
  return working;
}

/** A script that starts its arguments N times at once and fails if any of them does. */
export function writeParallelScript(dir: string): string {
  const path = `${dir}/parallel.sh`;
  writeFileSync(
    path,
    `#!/bin/sh
count=$1
shift
pids=
while [ "$count" -gt 0 ]; do
  "$@" &
  pids="$pids $!"
  count=$((count - 1))
done
status=0
for pid in $pids; do wait "$pid" || status=1; done
exit $status
`,
  );
  chmodSync(path, 0o755);
  return path;
}
