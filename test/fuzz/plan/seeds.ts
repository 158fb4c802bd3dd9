// Writes plans as seeds for the fuzzer: bun seeds.ts DIRECTORY

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  encodeExecPlan,
  encodePlan,
  encodeRemoveCommand,
  encodeUserNamespaceCommand,
} from '../../../src/native/encode-plan.ts';
import { execPlan, fullPlan, smallPlan } from '../../unit/native/plans.ts';

const directory = process.argv[2];
if (directory === undefined) throw new Error('usage: seeds.ts DIRECTORY');
const user = { kind: 'join', path: '/proc/1/ns/user' } as const;
const journal = Buffer.from('CONTAINER_NAME=web\n');
const seeds = {
  small: encodePlan(smallPlan()),
  full: encodePlan(fullPlan()),
  journal: encodePlan({ ...smallPlan(), stdio: { kind: 'pipes', stdin: false, log: { journal } } }),
  userns: encodeUserNamespaceCommand({ user, argv: ['/bin/true', 'x'], dieWithParent: true }),
  exec: encodeExecPlan(execPlan()),
  remove: encodeRemoveCommand({ user, paths: ['/a', '/b'] }),
};
for (const [name, bytes] of Object.entries(seeds)) writeFileSync(join(directory, name), bytes);
