import { describe, expect, test } from 'vitest';
import { explainMiss, keyOf, type KeyPart, type NotedStep } from '../../../src/builder/step-key.ts';

const part = (name: string, value: string): KeyPart => ({ name, value });
const step = (parts: KeyPart[], position = 1, stage = 'build'): NotedStep => ({ stage, position, parts });
const RUN = part('instruction', 'RUN make');

test('equal parts give equal keys, and nothing else does', () => {
  const parts = [part('parent', 'p'), RUN, part('ENV A', 'A=1')];
  expect(keyOf(parts)).toBe(keyOf(parts.map((each) => ({ ...each }))));
  expect(keyOf(parts)).toMatch(/^[0-9a-f]{64}$/);
  const others = [
    parts.slice(1),
    [...parts].reverse(),
    [part('parent', 'q'), ...parts.slice(1)],
    [part('parent', 'pinstruction'), part('', 'RUN make'), part('ENV A', 'A=1')],
  ];
  expect(new Set([parts, ...others].map(keyOf)).size).toBe(others.length + 1);
});

describe('why a step misses', () => {
  const ROWS: [title: string, now: NotedStep, before: NotedStep[], reason: string | undefined][] = [
    ['there was no build', step([RUN]), [], undefined],
    ['it was never there', step([RUN]), [step([part('instruction', 'RUN other')], 0)], undefined],
    [
      'another instruction in its place',
      step([RUN]),
      [step([part('instruction', 'RUN other')])],
      'instruction changed',
    ],
    ['another value', step([RUN, part('ARG V', '2')]), [step([RUN, part('ARG V', '1')])], 'ARG V changed'],
    ['one more', step([RUN, part('ARG V', '2')]), [step([RUN])], 'ARG V is new'],
    ['one less', step([RUN]), [step([RUN, part('ARG V', '2')])], 'ARG V is gone'],
    [
      'several',
      step([RUN, part('ARG V', '2'), part('USER', 'a')]),
      [step([RUN, part('ARG V', '1'), part('USER', 'b')])],
      'ARG V changed, USER changed',
    ],
    ['a file', step([RUN, part('files', 'd2')]), [step([RUN, part('files', 'd1')])], 'src/a.ts changed'],
    [
      'files that are not known any more',
      step([RUN, part('files', 'd9')]),
      [step([RUN, part('files', 'd1')])],
      'files changed',
    ],
    [
      'a step above',
      step([part('parent', 'q'), RUN]),
      [step([part('parent', 'p'), RUN])],
      'an earlier step changed',
    ],
    [
      'a step above, but something nearer too',
      step([part('parent', 'q'), RUN, part('USER', 'a')]),
      [step([part('parent', 'p'), RUN, part('USER', 'b')])],
      'USER changed',
    ],
    [
      'it moved',
      step([part('parent', 'q'), RUN], 3),
      [step([part('parent', 'p'), RUN], 1)],
      'an earlier step changed',
    ],
    ['nothing', step([RUN]), [step([RUN])], 'its result is no longer in the cache'],
    ['another stage’s is not looked at', step([RUN]), [step([RUN, part('USER', 'b')], 1, 'test')], undefined],
  ];
  test.each(ROWS)('%s', (_title, now, before, reason) => {
    const changeOf = (old: string, next: string) =>
      old === 'd1' && next === 'd2' ? 'src/a.ts changed' : undefined;
    expect(explainMiss(now, before, changeOf)).toBe(reason);
  });
  expect(ROWS).toHaveLength(14);
});
