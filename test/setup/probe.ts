// Finds out what this machine lacks for the tests, each with the reason a person can act on.

import { accessSync, constants, existsSync } from 'node:fs';
import { execAny } from '../helpers/exec.ts';
import { findAccount, isRoot, type Account } from '../helpers/accounts.ts';
import type { Capability } from '../helpers/requires.ts';
import { BUSYBOX } from './busybox.ts';

const SETUP = 'run test/setup/setup.sh as root';

export async function probeMachine(user: Account): Promise<Partial<Record<Capability, string>>> {
  const missing: Partial<Record<Capability, string>> = {};
  const lacks = (capability: Capability, reason: string): void => {
    missing[capability] ??= reason;
  };
  const needs = (capability: Capability, ...programs: string[]): void => {
    const absent = programs.filter((program) => !hasProgram(program));
    if (absent.length > 0) lacks(capability, `${absent.join(', ')} not installed: ${SETUP}`);
  };
  if (!isRoot()) {
    lacks('root', 'the tests were not started by root');
    lacks('user-without-ranges', 'the tests were not started by root');
  } else if (!findAccount('skiff-nosub')) {
    lacks('user-without-ranges', `no user skiff-nosub: ${SETUP}`);
  }
  needs('subuid', 'newuidmap', 'newgidmap');
  if (user.subUids.length === 0) lacks('subuid', `no line for ${user.name} in /etc/subuid: ${SETUP}`);
  if (!hasProgram('pasta') && !hasProgram('slirp4netns'))
    lacks('tun', `neither pasta nor slirp4netns: ${SETUP}`);
  if (!(await usable('/dev/net/tun', user))) lacks('tun', `${user.name} cannot open /dev/net/tun: ${SETUP}`);
  if (BUSYBOX === undefined) lacks('busybox-image', `busybox-static not installed: ${SETUP}`);
  needs('busybox-image', 'skopeo');
  needs('debian-image', 'mmdebstrap', 'umoci');
  needs('registry', 'docker-registry', 'skopeo');
  needs('registry-password', 'docker-registry', 'skopeo', 'htpasswd');
  needs('registry-tls', 'docker-registry', 'skopeo', 'openssl');
  needs('umoci', 'umoci');
  needs('skopeo', 'skopeo');
  needs('strace', 'strace');
  needs('git', 'git');
  needs('podman', 'podman');
  needs('static-tools', 'musl-gcc');
  if (process.env['SKIFF_TEST_NETWORK'] === '0') lacks('debian-mirror', 'SKIFF_TEST_NETWORK=0');
  if (!existsSync('/sys/fs/cgroup/memory/memory.limit_in_bytes'))
    lacks('cgroup1', 'the controllers are not in cgroup v1: see test/vm/run.sh for v2');
  if (process.env['SKIFF_TEST_NETWORK'] === '0') lacks('devcontainers-cli', 'SKIFF_TEST_NETWORK=0');
  needs('devcontainers-cli', 'npm');
  if (!(await mountsBinfmt(user))) lacks('binfmt', 'binfmt_misc cannot be mounted in a user namespace');
  if (!existsSync(`${vmDir()}/booted.qcow2`)) lacks('vm', 'no machine made: scripts/vm make');
  needs('vm', 'qemu-system-x86_64');
  return missing;
}

async function mountsBinfmt(user: Account): Promise<boolean> {
  const ids = isRoot() ? { uid: user.uid, gid: user.gid } : {};
  const mount = ['mount', '-t', 'binfmt_misc', 'none', '/proc/sys/fs/binfmt_misc'];
  const words = ['--user', '--map-root-user', '--mount', ...mount];
  const { status } = await execAny('unshare', words, { ...ids, cwd: '/' });
  return status === 0;
}

export function vmDir(): string {
  const cache = process.env['XDG_CACHE_HOME'] ?? `${process.env['HOME'] ?? ''}/.cache`;
  return process.env['VM_DIR'] ?? `${cache}/skiff-vm`;
}

export function hasProgram(name: string): boolean {
  const dirs = `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin`.split(':');
  return dirs.some((dir) => {
    try {
      accessSync(`${dir}/${name}`, constants.X_OK);
      return dir !== '';
    } catch {
      return false;
    }
  });
}

async function usable(device: string, user: Account): Promise<boolean> {
  const ids = isRoot() ? { uid: user.uid, gid: user.gid } : {};
  const { status } = await execAny('/bin/sh', ['-c', `test -r ${device} && test -w ${device}`], {
    ...ids,
    cwd: '/',
  });
  return status === 0;
}
