import { expect, test } from 'vitest';
import { resolvePaths, type PathsInput } from '../../../src/core/paths.ts';

const rows: [name: string, input: PathsInput, graphRoot: string, runRoot: string][] = [
  [
    'ordinary user',
    { env: { HOME: '/home/u', XDG_RUNTIME_DIR: '/run/user/7' }, hostUid: 7 },
    '/home/u/.local/share/skiff',
    '/run/user/7/skiff',
  ],
  [
    'XDG_DATA_HOME',
    { env: { HOME: '/home/u', XDG_DATA_HOME: '/data' }, hostUid: 7 },
    '/data/skiff',
    '/tmp/skiff-run-7',
  ],
  [
    'relative XDG_DATA_HOME is ignored',
    { env: { HOME: '/home/u', XDG_DATA_HOME: 'data' }, hostUid: 7 },
    '/home/u/.local/share/skiff',
    '/tmp/skiff-run-7',
  ],
  [
    'no HOME: the passwd entry',
    { env: {}, hostUid: 7, home: '/home/p' },
    '/home/p/.local/share/skiff',
    '/tmp/skiff-run-7',
  ],
  ['no home at all', { env: {}, hostUid: 7 }, '/var/tmp/skiff-7', '/tmp/skiff-run-7'],
  ['a home of / is none', { env: { HOME: '/' }, hostUid: 7 }, '/var/tmp/skiff-7', '/tmp/skiff-run-7'],
  ['root', { env: { HOME: '/root' }, hostUid: 0 }, '/var/lib/skiff', '/run/skiff'],
  ['a chosen one', { env: { HOME: '/home/u' }, hostUid: 7, root: '/s/' }, '/s', '/tmp/skiff-run-7'],
  ['root’s chosen one', { env: {}, hostUid: 0, root: '/r' }, '/r', '/run/skiff'],
];
test.each(rows)('%s', (_name, input, graphRoot, runRoot) => {
  expect(resolvePaths(input)).toEqual({ graphRoot, runRoot });
});
