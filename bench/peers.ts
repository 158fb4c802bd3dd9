// What skiff is compared with, set up so that each does its best: podman on native overlay without an event log, crun
// and bubblewrap with a prepared root filesystem as the floor. All run as the same ordinary user.

import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { isRoot, type Account } from '../test/helpers/accounts.ts';
import { exec } from '../test/helpers/exec.ts';
import { hasProgram } from '../test/setup/probe.ts';

export interface Bench {
  dir: string;
  user: Account;
  /** Environment of every measured command. */
  env: Record<string, string>;
}

/** All runs of a scenario: builds by podman take minutes on a busy machine. */
const MAX_SCENARIO_MS = 3_600_000;

/** Runs `command` as the user of the bench with its environment. */
export function asUser({ user, env }: Bench, command: string, args: readonly string[]): Promise<string> {
  return exec(command, args, {
    ...{ env, cwd: '/', timeoutMs: MAX_SCENARIO_MS },
    ...(isRoot() ? { uid: user.uid, gid: user.gid } : {}),
  });
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

/** Ends the process that podman leaves behind to keep its user namespace. */
export async function stopPodman(bench: Bench): Promise<void> {
  if (hasProgram('podman')) await asUser(bench, 'podman', ['system', 'migrate']);
}

/** Command lines of the floor: a container from a prepared root filesystem, nothing else. */
export async function prepareFloor(
  bench: Bench,
  busybox: string,
): Promise<{ name: string; words: string[] }[]> {
  const bundle = `${bench.dir}/bundle`;
  const folders = ['bin', 'proc', 'dev', 'sys'].map((name) => `${bundle}/rootfs/${name}`);
  await asUser(bench, 'mkdir', ['-p', ...folders]);
  await asUser(bench, 'cp', [busybox, `${bundle}/rootfs/bin/busybox`]);
  await asUser(bench, 'ln', ['-sf', 'busybox', `${bundle}/rootfs/bin/true`]);
  const mounts = ['--bind', `${bundle}/rootfs`, '/', '--proc', '/proc', '--dev', '/dev'];
  const floor = [
    {
      name: 'crun',
      words: ['crun', '--cgroup-manager=disabled', 'run', '--bundle', `${bundle}/crun`, 'bench'],
    },
    {
      name: 'runc',
      words: ['runc', '--root', `${bench.dir}/run/runc`, 'run', '--bundle', `${bundle}/runc`, 'bench'],
    },
    { name: 'bwrap', words: ['bwrap', '--unshare-all', ...mounts, '/bin/true'] },
  ].filter(({ name }) => hasProgram(name));
  const working: typeof floor = [];
  for (const peer of floor) {
    try {
      if (peer.name !== 'bwrap') await prepareBundle(bench, peer.name, bundle);
      const [command = '', ...args] = peer.words;
      await asUser(bench, command, args);
      working.push(peer);
    } catch (error) {
      console.error(
        `${peer.name} cannot run a container here, so it is left out: ${(error as Error).message}`,
      );
    }
  }
  return working;
}

/** BUNDLE/RUNTIME/config.json by the runtime itself, changed to run `true` in BUNDLE/rootfs without a terminal. */
async function prepareBundle(bench: Bench, runtime: string, bundle: string): Promise<void> {
  await asUser(bench, 'sh', [
    '-c',
    `mkdir '${bundle}/${runtime}' && cd '${bundle}/${runtime}' && ${runtime} spec --rootless`,
  ]);
  const file = `${bundle}/${runtime}/config.json`;
  const config = JSON.parse(await asUser(bench, 'cat', [file])) as {
    process: { terminal: boolean; args: string[] };
    root: { path: string };
  };
  config.process.terminal = false;
  config.process.args = ['/bin/true'];
  config.root.path = `${bundle}/rootfs`;
  writeFileSync(file, JSON.stringify(config));
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
