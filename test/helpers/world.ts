// The world of one test run: a folder that the ordinary user can reach, a copy of dist/skiff alone in it, fixtures,
// registries on loopback. test/setup/global.ts makes it before the first test and removes it after the last; tests
// read it here. The bench uses the same.

import { readFileSync } from 'node:fs';
import type { Account } from './accounts.ts';
import type { Capability } from './requires.ts';

export const REPOSITORY = new URL('../..', import.meta.url).pathname.replace(/\/$/, '');

/** Where worlds are made: on a disk (overlay upper dirs need one), reachable by every user. Also in setup.sh. */
export const WORLD_PARENT = '/var/tmp/skiff-it';

export interface World {
  /** Readable by all, removed at the end. */
  dir: string;
  /** The copied binary. */
  binary: string;
  /** Ordinary user with subordinate ids where the machine has them. */
  user: Account;
  /** Ordinary user without subordinate ids. */
  userWithoutRanges?: Account;
  /** A store with `busybox` in it, for tests that only run containers. Owned by `user`. */
  store: string;
  /** Why `store` could not be filled, or ''. */
  storeError: string;
  /** What this machine has; with the reason for what it has not. */
  missing: Partial<Record<Capability, string>>;
  fixtures: Fixtures;
  registries?: Registries;
}

/** Absolute paths, readable by all. */
export interface Fixtures {
  /** OCI layout folder with `busybox:latest`. */
  busyboxLayout?: string;
  /** OCI and docker archives of the same. */
  busyboxOciArchive?: string;
  busyboxDockerArchive?: string;
  /** Uncompressed root file system of the Debian image. */
  debianTar?: string;
  /** OCI layout folder with `latest`: the image with odd files. Readable by root alone. */
  oddLayout?: string;
  /** Static test programs, see test/helpers/tools. */
  listTree?: string;
  udpOnce?: string;
  /** The devcontainers CLI, to be run by node. */
  devcontainers?: string;
}

/** `127.0.0.1:PORT` of docker-registry processes that serve the same images. */
export interface Registries {
  plain: string;
  /** Access log of `plain`, one line a request. */
  plainLog: string;
  /** user `alice`, password `s3cret` */
  password: string;
  /** https with a certificate of `caFile` */
  tls: string;
  caFile: string;
}

let cached: World | undefined;

/** The world of this run. Throws when a test file is started without the global set-up. */
export function world(): World {
  const path = process.env['SKIFF_TEST_WORLD'];
  if (path === undefined)
    throw new Error('no world: run integration tests by vitest with test/setup/global.ts');
  return (cached ??= JSON.parse(readFileSync(path, 'utf8')) as World);
}
