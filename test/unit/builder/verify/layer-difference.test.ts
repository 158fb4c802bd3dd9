import { expect, test } from 'vitest';
import {
  describeDifferences,
  listLayer,
  type LayerListing,
} from '../../../../src/builder/verify/layer-difference.ts';
import { tar, type TarEntry } from '../../../helpers/tar-writer.ts';

async function listing(entries: readonly TarEntry[], chunkBytes = 1 << 20): Promise<LayerListing> {
  const bytes = tar(entries);
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
  }
  return await listLayer(chunks());
}

const file = (more: Partial<TarEntry> = {}): TarEntry => ({ path: 'a/b', content: 'x', ...more });

test.each<[what: string, first: TarEntry[], second: TarEntry[], differences: string[]]>([
  ['nothing', [file()], [file()], []],
  ['content', [file()], [file({ content: 'y' })], ['"a/b": content differs']],
  ['a longer content', [file()], [file({ content: 'yy' })], ['"a/b": content differs (1 and 2 bytes)']],
  [
    'mode',
    [file({ mode: 0o644 })],
    [file({ mode: 0o600 })],
    ['"a/b": mode is 0644 in the first build and 0600 in the second'],
  ],
  [
    'owner',
    [file({ uid: 1 })],
    [file({ gid: 2 })],
    ['"a/b": owner is 1:0 in the first build and 0:2 in the second'],
  ],
  [
    'time',
    [file({ mtime: 1 })],
    [file({ mtime: 2 })],
    ['"a/b": time is 1.000000000 in the first build and 2.000000000 in the second'],
  ],
  [
    'type',
    [file()],
    [{ path: 'a/b', type: 'fifo' }],
    ['"a/b": type is file in the first build and fifo in the second'],
  ],
  [
    'link',
    [{ path: 'l', type: 'symlink', link: 'a' }],
    [{ path: 'l', type: 'symlink', link: '\u001b' }],
    ['"l": link is "a" in the first build and "\\u001b" in the second'],
  ],
  ['a file that is new', [], [file()], ['"a/b" is only in the second build']],
  ['a file that is gone', [file()], [], ['"a/b" is only in the first build']],
  [
    'each of many',
    [file({ path: 'b' }), file({ path: 'c' })],
    [file({ path: 'b', content: '1' })],
    ['"b": content differs', '"c" is only in the first build'],
  ],
  [
    'what many images have, with what to do',
    [file({ path: 'var/log/dpkg.log' }), file({ path: 'etc/shadow' }), file({ path: 'etc/shadows' })],
    [{ path: 'var/log/dpkg.log' }, { path: 'etc/shadow' }, { path: 'etc/shadows' }],
    [
      '"etc/shadow": content differs (1 and 0 bytes) (days and salts of passwords: SOURCE_DATE_EPOCH makes the days the same)',
      '"etc/shadows": content differs (1 and 0 bytes)',
      '"var/log/dpkg.log": content differs (1 and 0 bytes) (a log: remove it in the same RUN)',
    ],
  ],
  ['order', [file({ path: 'b' }), file()], [file(), file({ path: 'b' })], ['the order of the files differs']],
])('%s', async (_, first, second, differences) => {
  expect(describeDifferences(await listing(first), await listing(second))).toEqual(differences);
});

test('however the bytes come', async () => {
  const entries = [file({ content: 'x'.repeat(5000) })];
  for (const size of [1, 511, 513, 4096])
    expect(describeDifferences(await listing(entries), await listing(entries, size))).toEqual([]);
});
