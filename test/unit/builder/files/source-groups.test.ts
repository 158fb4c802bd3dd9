import { expect, it } from 'vitest';
import { groupsOf } from '../../../../src/builder/files/source-groups.ts';

const shapes = (sources: string[], isAdd = true) =>
  groupsOf({ isAdd, sources, checksum: undefined }).map(({ sources, remote }) => [remote?.kind, ...sources]);

it('sources are copied in their order, local ones side by side', () => {
  expect(shapes(['a', 'b', 'https://h/c', 'https://h/d.git', 'e'])).toEqual([
    [undefined, 'a', 'b'],
    ['file', 'https://h/c'],
    ['git', 'https://h/d.git'],
    [undefined, 'e'],
  ]);
  expect(shapes([])).toEqual([]);
});

it('COPY knows no URLs', () => {
  expect(shapes(['https://h/c'], false)).toEqual([[undefined, 'https://h/c']]);
});

it('a checksum is for what is elsewhere', () => {
  const checksum = 'sha256:0';
  expect(groupsOf({ isAdd: true, sources: ['https://h/c'], checksum })).toHaveLength(1);
  expect(() => groupsOf({ isAdd: true, sources: ['a'], checksum })).toThrow(/non-HTTP/);
});
