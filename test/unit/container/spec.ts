// A ContainerSpec for tests, made by the real code from the flags given; parts can be set afterwards.

import {
  specFromFlags,
  type SpecInput,
  type SpecResult,
} from '../../../src/container/configure/from-flags.ts';
import type { RunOptions } from '../../../src/container/configure/options.ts';
import { chooseIdMap } from '../../../src/runtime/idmap.ts';
import type { ConfigSpec, ContainerId, ContainerSpec, ProcessSpec } from '../../../src/runtime/spec.ts';
import type { Digest } from '../../../src/core/digest.ts';
import { TESTER } from '../runtime/idmap.cases.ts';

export const ID = 'ab'.repeat(32) as ContainerId;
export const IMAGE_ID = `sha256:${'cd'.repeat(32)}` as Digest;

const LISTS = [
  'annotation',
  'attach',
  'env',
  'env-file',
  'unsetenv',
  'label',
  'label-file',
  'annotation',
  'volume',
  'volumes-from',
  'mount',
  'tmpfs',
  'cap-add',
  'cap-drop',
  'security-opt',
  'ulimit',
  'add-host',
  'dns',
  'dns-search',
  'dns-option',
  'publish',
  'expose',
  'group-add',
  'device',
  'sysctl',
  'log-opt',
  'blkio-weight-device',
  'device-read-bps',
  'device-write-bps',
  'device-read-iops',
  'device-write-iops',
];

/** No flag given. */
export function noOptions(): RunOptions {
  const lists = Object.fromEntries(LISTS.map((name) => [name, []]));
  return { ...lists, 'http-proxy': true, 'sig-proxy': true, pull: 'missing' } as unknown as RunOptions;
}

export function fromFlags(options: Partial<RunOptions>, rest: Partial<SpecInput> = {}): SpecResult {
  return specFromFlags({
    options: { ...noOptions(), ...options },
    recipe: {},
    what: 'busybox',
    words: ['true'],
    detached: false,
    imageConfig: {},
    limits: {},
    image: {
      name: 'busybox',
      reference: 'docker.io/library/busybox:latest',
      id: IMAGE_ID,
      manifestDigest: IMAGE_ID,
      platform: { os: 'linux', architecture: 'amd64' },
    },
    rootfs: { kind: 'layers', chainIds: [IMAGE_ID] },
    ids: chooseIdMap({ ...TESTER, userns: options.userns }),
    id: ID,
    name: 'web',
    createdAt: '2026-01-01T00:00:00.000Z',
    caller: { env: {}, cwd: '/work', hostname: 'thehost' },
    envLines: [],
    labelLines: [],
    accounts: {
      passwd: 'root:x:0:0::/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\n',
      group: 'root:x:0:\nbin:x:1:root,app\nbig:x:70000:app\n',
    },
    seccompText: undefined,
    devices: [],
    mountsOfContainer: () => [],
    resolveContainer: (name) => `${name}-id` as ContainerId,
    joinedHostname: undefined,
    network: options.network ?? 'none',
    ...rest,
  });
}

export function specOf(
  set: {
    name?: string;
    createdAt?: string;
    config?: Partial<ConfigSpec>;
    process?: Partial<ProcessSpec>;
  } = {},
): ContainerSpec {
  const { spec } = fromFlags({ volume: ['/data', 'named:/named'] });
  return {
    ...spec,
    name: set.name ?? spec.name,
    createdAt: set.createdAt ?? spec.createdAt,
    config: { ...spec.config, ...set.config },
    process: { ...spec.process, ...set.process },
  };
}
