// What a test needs of the machine. Where it is missing the test is skipped with the reason; the run ends with a list
// of all skips, and fails when SKIFF_PROMISED (comma separated capabilities, or `all`) names one that was missing.

import { appendFileSync } from 'node:fs';
import type { TestContext } from 'vitest';
import { world } from './world.ts';

/** Capability → why a machine may lack it is worked out in test/setup/probe.ts. */
export const CAPABILITIES = [
  'root', // the tests were started by root: second users, mounts, ownership of reference trees
  'subuid', // newuidmap and ranges for the ordinary user
  'user-without-ranges',
  'tun', // /dev/net/tun and pasta or slirp4netns
  'busybox-image',
  'debian-image',
  'registry', // docker-registry and skopeo
  'registry-password', // htpasswd
  'registry-tls', // openssl
  'umoci',
  'skopeo',
  'strace',
  'git',
  'podman',
  'static-tools', // musl-gcc
  'debian-mirror', // the mirror of this machine's apt sources answers
  'cgroup1', // the controllers of limits are in hierarchies of cgroup v1
  'devcontainers-cli', // npm could install it
  'binfmt', // binfmt_misc of a user namespace (Linux 6.7)
  'vm', // scripts/vm has a machine
] as const;

export type Capability = (typeof CAPABILITIES)[number];

/** First line of a test: skips it, with the reason, where the machine lacks one of `needed`. */
export function requires(context: TestContext, ...needed: Capability[]): void {
  for (const capability of needed) {
    const reason = world().missing[capability];
    if (reason === undefined) continue;
    appendFileSync(
      skipsFile(world().dir),
      `${JSON.stringify({ capability, reason, test: context.task.name, file: context.task.file.name })}\n`,
    );
    context.skip(`needs ${capability}: ${reason}`);
  }
}

export interface Skip {
  capability: Capability;
  reason: string;
  test: string;
  file: string;
}

export function skipsFile(dir: string): string {
  return `${dir}/skips.jsonl`;
}
