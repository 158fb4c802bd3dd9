import { expect, test } from 'vitest';
import type { SORT_FIELDS } from '../../../src/container/sort.ts';
import { sortContainers } from '../../../src/container/sort.ts';
import type { ListedContainer } from '../../../src/container/list.ts';
import { specOf } from './spec.ts';

const listed = (name: string, createdAt: string, status: 'running' | 'exited', args: string[]) =>
  ({
    spec: { ...specOf({ name, createdAt, process: { args } }), id: `${name}${name}` },
    state: { status },
  }) as unknown as ListedContainer;

const CONTAINERS = [
  listed('b', '2026-03', 'running', ['zsh']),
  listed('c', '2026-02', 'exited', ['ash']),
  listed('a', '2026-01', 'running', ['dash']),
];
const SIZES: Readonly<Record<string, number>> = { a: 3, b: 10, c: 200 };

test.each<[(typeof SORT_FIELDS)[number], string]>([
  ['names', 'a b c'],
  ['id', 'a b c'],
  ['created', 'a c b'],
  ['runningfor', 'a c b'],
  ['size', 'a b c'],
  ['status', 'c b a'], // equal ones stay as they were
  ['image', 'b c a'],
])('%s', (field, names) => {
  const sorted = sortContainers(CONTAINERS, field, ({ spec }) => SIZES[spec.name] ?? 0);
  expect(sorted.map(({ spec }) => spec.name).join(' ')).toBe(names);
});
