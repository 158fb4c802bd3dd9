// Flags by which commands name their containers otherwise than by arguments.

import type { Flags } from './command.ts';

export const LATEST_FLAG = {
  latest: { type: 'boolean', short: 'l', help: 'the container made last' },
} as const satisfies Flags;

/** Of commands that are about one container. */
export const ONE_TARGET_FLAGS = {
  ...LATEST_FLAG,
  cidfile: { type: 'string', value: 'FILE', help: 'read the container id from a file' },
} as const satisfies Flags;

/** Of commands that are about several. */
export const SOME_TARGETS_FLAGS = {
  ...LATEST_FLAG,
  cidfile: { type: 'list', value: 'FILE', help: 'read the container id from a file' },
} as const satisfies Flags;

export const TARGET_FLAGS = {
  ...SOME_TARGETS_FLAGS,
  all: { type: 'boolean', short: 'a', help: 'all containers' },
} as const satisfies Flags;
