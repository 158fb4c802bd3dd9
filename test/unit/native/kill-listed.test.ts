// Which processes a list of the kernel's names: what is wrong here kills somebody else.

import { beforeAll, expect, test } from 'vitest';
import { runHelper, sanitizedHelper } from './helper.ts';

beforeAll(() => void sanitizedHelper(), 300_000);

test.each<[string, string, string[]]>([
  ['an empty list', '', []],
  ['cgroup.procs', '12\n345\n', ['12', '345']],
  ['children of a task', '12 345 ', ['12', '345']],
  ['a number that the end may have cut', '12\n345', ['12']],
  ['the same alone', '12', []],
  ['what is no list', 'none\n', []],
])('%s', async (_, text, pids) => {
  const ended = await runHelper('listed', Buffer.from(text));
  expect(ended).toEqual({ status: 0, stderr: '', stdout: pids.map((pid) => `${pid}\n`).join('') });
});
