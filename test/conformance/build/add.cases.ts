// ADD: archives, and how it differs from COPY.

import type { Row } from './row.ts';
import type { TarEntry } from '../../helpers/tar-writer.ts';

const TAR: TarEntry[] = [
  { path: 'd/', type: 'dir', mode: 0o750, uid: 5, gid: 6 },
  { path: 'd/f', content: 'f', mode: 0o4755, uid: 7, gid: 8 },
  { path: 'd/l', type: 'symlink', link: 'f' },
  { path: 'd/h', type: 'link', link: 'd/f', mode: 0o4755, uid: 7, gid: 8 },
];
const TREE = 'd 750 5:6 /d\nf 4755 7:8 /d/f = f\nh /d/h == /d/f\nl 777 0:0 /d/l -> f';

export const ADD_ROWS: Row[] = [
  { name: 'a file', dockerfile: 'ADD x /y', context: { x: 'x' }, files: 'f 644 0:0 /y = x' },
  {
    name: 'a directory',
    dockerfile: 'ADD d /d',
    context: { 'd/x': 'x' },
    files: 'd 755 0:0 /d\nf 644 0:0 /d/x = x',
  },
  { name: 'a tar', dockerfile: 'ADD a.tar /', context: { 'a.tar': { tar: TAR } }, files: TREE },
  {
    name: 'a tar.gz',
    dockerfile: 'ADD a.tar.gz /',
    context: { 'a.tar.gz': { tar: TAR, compress: 'gzip' } },
    files: TREE,
  },
  {
    name: 'what a tar is, is seen from its content',
    dockerfile: 'ADD any /',
    context: { any: { tar: TAR } },
    files: TREE,
  },
  {
    name: 'something called .tar that is none',
    dockerfile: 'ADD a.tar /d/',
    context: { 'a.tar': 'text' },
    files: 'd 755 0:0 /d\nf 644 0:0 /d/a.tar = text',
  },
  {
    name: 'a tar into a directory without a slash',
    dockerfile: 'ADD a.tar /x',
    context: { 'a.tar': { tar: [{ path: 'f', content: 'f' }] } },
    files: 'd 755 0:0 /x\nf 644 0:0 /x/f = f',
  },
  {
    name: 'COPY unpacks nothing',
    dockerfile: 'COPY a.tar /d/',
    context: { 'a.tar': { tar: [] } },
    files: 'd 755 0:0 /d\nf 644 0:0 /d/a.tar = 1024 bytes 5f70bf18a0860070',
  },
  {
    name: '--unpack=false',
    dockerfile: 'ADD --unpack=false a.tar /d/',
    context: { 'a.tar': { tar: [] } },
    files: 'd 755 0:0 /d\nf 644 0:0 /d/a.tar = 1024 bytes 5f70bf18a0860070',
    podman: { lacks: '--unpack' },
  },
  {
    name: '--chown of a tar',
    dockerfile: 'ADD --chown=1:2 a.tar /',
    context: { 'a.tar': { tar: [{ path: 'f', content: 'f', uid: 9 }] } },
    files: 'f 644 1:2 /f = f',
    podman: { differs: 'the owner of the archive stays' },
  },
  {
    name: 'directories that a tar does not list',
    dockerfile: 'ADD a.tar /',
    context: { 'a.tar': { tar: [{ path: 'a/b/f', content: 'f' }] } },
    files: 'd 755 0:0 /a\nd 755 0:0 /a/b\nf 644 0:0 /a/b/f = f',
  },
  {
    name: 'a tar puts a file in place of a directory',
    dockerfile: 'COPY d /d\nADD a.tar /',
    context: { 'd/x': 'x', 'a.tar': { tar: [{ path: 'd', content: 'f' }] } },
    files: 'f 644 0:0 /d = f',
  },
  {
    name: 'a tar puts a directory in place of a file',
    dockerfile: 'COPY x /x\nADD a.tar /',
    context: {
      x: 'x',
      'a.tar': {
        tar: [
          { path: 'x/', type: 'dir' },
          { path: 'x/y', content: 'y' },
        ],
      },
    },
    files: 'd 755 0:0 /x\nf 644 0:0 /x/y = y',
  },
  {
    name: 'a tar gives a directory another owner',
    dockerfile: 'COPY d /d\nADD a.tar /',
    context: { 'd/x': 'x', 'a.tar': { tar: [{ path: 'd/', type: 'dir', mode: 0o700, uid: 4 }] } },
    files: 'd 700 4:0 /d\nf 644 0:0 /d/x = x',
  },
  {
    name: 'a name twice in a tar',
    dockerfile: 'ADD a.tar /',
    context: {
      'a.tar': {
        tar: [
          { path: 'f', content: '1' },
          { path: 'f', content: '2' },
        ],
      },
    },
    files: 'f 644 0:0 /f = 2',
  },
  {
    name: 'a tar with ..',
    dockerfile: 'ADD a.tar /d/',
    context: { 'a.tar': { tar: [{ path: '../../f', content: 'f' }] } },
    fails: /Dockerfile:2[^]*\.\./,
    podman: { differs: 'it puts the file at the root' },
  },
  {
    name: 'a tar with absolute names',
    dockerfile: 'ADD a.tar /d/',
    context: { 'a.tar': { tar: [{ path: '/f', content: 'f' }] } },
    files: 'd 755 0:0 /d\nf 644 0:0 /d/f = f',
  },
  {
    name: 'a tar with a link out, and a file through it',
    dockerfile: 'ADD a.tar /d/',
    context: {
      'a.tar': {
        tar: [
          { path: 'l', type: 'symlink', link: '../../../../out' },
          { path: 'l/f', content: 'f' },
        ],
      },
    },
    files: 'd 755 0:0 /d\nl 777 0:0 /d/l -> ../../../../out\nd 755 0:0 /out\nf 644 0:0 /out/f = f',
    podman: { differs: 'it refuses a file through a link' },
  },
  {
    name: 'a tar with a hard link to nothing',
    dockerfile: 'ADD a.tar /',
    context: { 'a.tar': { tar: [{ path: 'h', type: 'link', link: '../../etc/passwd' }] } },
    fails: /Dockerfile:2/,
  },
  {
    name: 'a tar with whiteouts: they are files',
    dockerfile: 'COPY x /\nADD a.tar /d/',
    context: { x: 'x', 'a.tar': { tar: [{ path: 'f', content: 'f' }] } },
    files: 'd 755 0:0 /d\nf 644 0:0 /d/f = f\nf 644 0:0 /x = x',
  },
  {
    name: 'a fifo in a tar',
    dockerfile: 'ADD a.tar /',
    context: { 'a.tar': { tar: [{ path: 'p', type: 'fifo' }] } },
    files: 'p 644 0:0 /p',
  },
  {
    name: 'a tar that is cut off',
    dockerfile: 'ADD a.tar /',
    context: { 'a.tar': { tar: [{ path: 'f', content: 'f', lieAboutSize: 1 << 20 }] } },
    fails: /Dockerfile:2[^]*a\.tar/,
  },
  {
    name: 'a tar that is larger than any disk',
    dockerfile: 'ADD a.tar /',
    context: { 'a.tar': { tar: [{ path: 'f', content: 'f', pax: { size: '900000000000000' } }] } },
    fails: /Dockerfile:2[^]*(?:space|free)/,
  },
  {
    name: 'xattrs of a tar',
    dockerfile: 'ADD a.tar /',
    context: { 'a.tar': { tar: [{ path: 'f', content: 'f', xattrs: { 'user.a': '1' } }] } },
    files: 'f 644 0:0 /f = f {user.a=1}',
  },
  {
    name: 'pax headers for all entries',
    dockerfile: 'ADD a.tar /',
    context: { 'a.tar': { tar: [{ path: `${'long/'.repeat(30)}f`, content: 'f' }] } },
    files:
      [...Array(30).keys()].map((i) => `d 755 0:0 /${'long/'.repeat(i + 1).slice(0, -1)}`).join('\n') +
      `\nf 644 0:0 /${'long/'.repeat(30)}f = f`,
  },
  {
    name: 'several, one of them a tar',
    dockerfile: 'ADD a.tar x /d/',
    context: { x: 'x', 'a.tar': { tar: [{ path: 'f', content: 'f' }] } },
    files: 'd 755 0:0 /d\nf 644 0:0 /d/f = f\nf 644 0:0 /d/x = x',
  },
  {
    name: 'tars by a wildcard',
    dockerfile: 'ADD *.tar /',
    context: {
      'a.tar': { tar: [{ path: 'a', content: 'a' }] },
      'b.tar': { tar: [{ path: 'b', content: 'b' }] },
    },
    files: 'f 644 0:0 /a = a\nf 644 0:0 /b = b',
  },
  {
    name: 'a heredoc',
    dockerfile: 'ADD <<EOF /f\nx\nEOF',
    files: 'f 644 0:0 /f = x\\n',
    podman: { lacks: 'heredocs' },
  },
  { name: '--chmod', dockerfile: 'ADD --chmod=600 x /x', context: { x: 'x' }, files: 'f 600 0:0 /x = x' },
  {
    name: '--link',
    dockerfile: 'ADD --link x /x',
    context: { x: 'x' },
    files: 'f 644 0:0 /x = x',
    podman: { lacks: '--link' },
  },
  {
    name: '--exclude',
    dockerfile: 'ADD --exclude=b d /e',
    context: { 'd/a': 'a', 'd/b': 'b' },
    files: 'd 755 0:0 /e\nf 644 0:0 /e/a = a',
    podman: { lacks: '--exclude' },
  },
  { name: '--from is for COPY', dockerfile: 'ADD --from=x a /', fails: /Dockerfile:2[^]*from/ },
  {
    name: '--checksum of a local file',
    dockerfile: 'ADD --checksum=sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881 x /x',
    context: { x: 'x' },
    fails: /Dockerfile:2[^]*checksum/,
  },
  {
    name: '--checksum that is none',
    dockerfile: 'ADD --checksum=nosuch http://127.0.0.1:1/x /x',
    fails: /Dockerfile:2[^]*nosuch/,
  },
  {
    name: 'a URL that does not answer',
    dockerfile: 'ADD http://127.0.0.1:1/x /x',
    fails: /Dockerfile:2[^]*127\.0\.0\.1/,
  },
  { name: 'a missing file', dockerfile: 'ADD nosuch /', fails: /Dockerfile:2[^]*"nosuch": not found/ },
];
