// The image with odd files: every kind of entry a layer may hold, and every kind of change a layer can make to those
// below it. Whole trees are compared with what umoci makes of the same image.

import { mkdirSync, readFileSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { exec } from '../helpers/exec.ts';
import { tar, type TarEntry } from '../helpers/tar-writer.ts';
import { busyboxEntries } from './busybox.ts';

/** vfs_cap_data revision 2 (linux/capability.h), cap_net_raw and cap_net_bind_service, effective. */
const FILE_CAPABILITY = Buffer.from('0100000200240000000000000000000000000000', 'hex');

const bottom: TarEntry[] = [
  { path: 'odd/', type: 'dir', mode: 0o755 },
  { path: 'odd/setuid', mode: 0o4755, content: 'setuid' },
  { path: 'odd/setgid', mode: 0o2755, gid: 42, content: 'setgid' },
  { path: 'odd/sticky/', type: 'dir', mode: 0o1777 },
  { path: 'odd/setgid-dir/', type: 'dir', mode: 0o2775, uid: 1000, gid: 1000 },
  { path: 'odd/owned', uid: 1000, gid: 1001, content: 'owned' },
  { path: 'odd/last-id', uid: 65535, gid: 65535, content: 'the highest mapped id' },
  {
    path: 'odd/capable',
    mode: 0o755,
    content: 'capable',
    xattrs: { 'security.capability': FILE_CAPABILITY },
  },
  {
    path: 'odd/owned-capable',
    mode: 0o755,
    uid: 1000,
    content: 'x',
    xattrs: { 'security.capability': FILE_CAPABILITY },
  },
  {
    path: 'odd/xattr',
    content: 'xattr',
    xattrs: { 'user.test': Buffer.from([0, 1, 255, 10]) },
  },
  { path: 'odd/xattr-dir/', type: 'dir', xattrs: { 'user.dir': 'yes' } },
  { path: 'odd/fifo', type: 'fifo', mode: 0o620, uid: 7, gid: 8 },
  { path: 'odd/hard-a', content: 'hard link', mode: 0o640, uid: 3, gid: 4 },
  { path: 'odd/hard-b', type: 'link', link: 'odd/hard-a', mode: 0o640, uid: 3, gid: 4 },
  { path: 'odd/hard-dotted', type: 'link', link: './odd/hard-a', mode: 0o640, uid: 3, gid: 4 },
  { path: 'odd/link-absolute', type: 'symlink', link: '/odd/hard-a', uid: 1000, gid: 1000 },
  { path: 'odd/link-up', type: 'symlink', link: '../../../../etc/passwd' },
  { path: 'odd/link-dangling', type: 'symlink', link: 'nowhere' },
  { path: 'odd/link-long', type: 'symlink', link: `${'a'.repeat(200)}/${'b'.repeat(200)}` },
  { path: `odd/${'n'.repeat(255)}`, content: 'the longest name' },
  ...Array.from({ length: 60 }, (_, i): TarEntry => ({ path: `odd/${'deep/'.repeat(i + 1)}`, type: 'dir' })),
  { path: `odd/${'deep/'.repeat(60)}file`, content: 'a long path' },
  { path: Buffer.from('odd/bytes-\xff\xfe\x80', 'latin1'), content: 'not UTF-8' },
  { path: 'odd/ü – ☃', content: 'UTF-8' },
  { path: 'odd/ space and\nnewline\t', content: 'white space' },
  { path: 'odd/empty', content: '' },
  { path: 'odd/nanoseconds', content: 'x', mtime: 1_600_000_000.25 },
  { path: 'odd/epoch', content: 'x', mtime: 0 },
  { path: 'odd/before-epoch', content: 'x', pax: { mtime: '-86400' } },
  { path: 'odd/after-2038', content: 'x', mtime: 4_102_444_800 },
  { path: 'odd/unreadable', content: 'x', mode: 0 },
  { path: 'odd/closed/', type: 'dir', mode: 0o000 },
  { path: 'odd/closed/inside', content: 'written although the directory is closed' },
  { path: 'odd/read-only/', type: 'dir', mode: 0o555, mtime: 1_500_000_000 },
  { path: 'odd/read-only/inside', content: 'x' },
  { path: './odd/dotted/', type: 'dir' },
  { path: './odd/dotted/file', content: 'x' },
  { path: 'odd/implicit/parent/file', content: 'no entry for its directories' },
  { path: 'odd/twice', content: 'first' },
  { path: 'odd/twice', content: 'second wins', mode: 0o600 },
  { path: 'odd/through', type: 'symlink', link: 'sticky' },
  { path: 'odd/.wh', content: 'no whiteout' },
  { path: 'odd/.whale', content: 'no whiteout either' },
  // what the layers above change
  { path: 'change/', type: 'dir', mtime: 1_400_000_000 },
  { path: 'change/gone', content: 'x' },
  { path: 'change/gone-dir/', type: 'dir' },
  { path: 'change/gone-dir/file', content: 'x' },
  { path: 'change/opaque/', type: 'dir', mode: 0o700, uid: 5, gid: 6 },
  { path: 'change/opaque/old', content: 'x' },
  { path: 'change/opaque/old-dir/', type: 'dir' },
  { path: 'change/opaque/old-dir/file', content: 'x' },
  { path: 'change/file-to-dir', content: 'x' },
  { path: 'change/dir-to-file/', type: 'dir' },
  { path: 'change/dir-to-file/inside', content: 'x' },
  { path: 'change/link-to-file', type: 'symlink', link: '/etc/passwd' },
  { path: 'change/dir-to-link/', type: 'dir' },
  { path: 'change/dir-to-link/inside', content: 'x' },
  { path: 'change/attributes/', type: 'dir', mode: 0o755 },
  { path: 'change/attributes/kept', content: 'x' },
  {
    path: 'change/implicit/',
    type: 'dir',
    mode: 0o711,
    uid: 9,
    gid: 10,
    mtime: 1_300_000_000,
    xattrs: { 'user.kept': '1' },
  },
  { path: 'change/implicit/kept', content: 'x' },
  { path: 'change/linked', content: 'gets a second name above', uid: 11 },
  { path: 'change/recreated/', type: 'dir', mode: 0o700 },
  { path: 'change/recreated/old', content: 'x' },
];

const middle: TarEntry[] = [
  { path: 'change/.wh.gone', content: '' },
  { path: 'change/.wh.gone-dir', content: '' },
  { path: 'change/opaque/', type: 'dir', mode: 0o750, uid: 5, gid: 6 },
  { path: 'change/opaque/new', content: 'new' },
  { path: 'change/opaque/.wh..wh..opq', content: '' },
  { path: 'change/file-to-dir/', type: 'dir' },
  { path: 'change/file-to-dir/inside', content: 'x' },
  { path: 'change/dir-to-file', content: 'a file now' },
  { path: 'change/link-to-file', content: 'a file now, and /etc/passwd is as it was' },
  { path: 'change/dir-to-link', type: 'symlink', link: 'attributes' },
  { path: 'change/attributes/', type: 'dir', mode: 0o500, uid: 12, gid: 13, mtime: 1_200_000_000 },
  { path: 'change/implicit/new', content: 'its directory has no entry in this layer' },
  { path: 'change/linked', content: 'gets a second name above', uid: 11 },
  { path: 'change/linked-again', type: 'link', link: 'change/linked' },
  { path: 'change/.wh.recreated', content: '' },
];

const top: TarEntry[] = [
  { path: 'change/recreated/', type: 'dir', mode: 0o755 },
  { path: 'change/recreated/new', content: 'nothing of the old one shows' },
  { path: 'change/gone', content: 'back again' },
];

/**
 * Uncompressed layers, bottom first. The last two are written by GNU tar in its own and in POSIX
 * format, the latter with a sparse file (the old GNU form of those, type S, is one that docker and umoci refuse too).
 */
export async function oddLayers(scratch: string): Promise<Buffer[]> {
  const layers = [tar([...busyboxEntries(), ...bottom]), tar(middle), tar(top)];
  for (const format of ['gnu', 'posix']) {
    const dir = `${scratch}/${format}`;
    mkdirSync(`${dir}/${format}/${'d'.repeat(120)}`, { recursive: true });
    writeFileSync(`${dir}/${format}/${'d'.repeat(120)}/${'f'.repeat(130)}`, 'long names');
    const sparse = `${dir}/${format}/sparse`;
    writeFileSync(sparse, 'starts with data');
    truncateSync(sparse, 5 << 20);
    writeFileSync(sparse, 'ends with data', { flag: 'a' });
    truncateSync(sparse, 9 << 20);
    for (const path of [sparse, `${dir}/${format}/${'d'.repeat(120)}/${'f'.repeat(130)}`])
      utimesSync(path, 1.5e9, 1.5e9);
    const file = `${scratch}/${format}.tar`;
    const owner = [
      '--owner=0',
      '--group=0',
      '--numeric-owner',
      '--sort=name',
      '--mode=u=rwX,go=rX',
      '--mtime=@1500000000',
    ];
    await exec('tar', [
      '--create',
      '--file',
      file,
      `--format=${format}`,
      ...(format === 'posix' ? ['--sparse'] : []),
      ...owner,
      '-C',
      dir,
      format,
    ]);
    layers.push(readFileSync(file));
  }
  rmSync(scratch, { recursive: true, force: true });
  return layers;
}
