// Layers that try to get out of their directory, or to do harm inside. Each either fails with the code given, or ends as
// the tree given; nothing outside may change either way. `image-spec` rows cite the section that decides.

import type { ErrorCode } from '../../../../src/core/errors.ts';
import type { TarEntry } from '../../../helpers/tar-writer.ts';

export interface HostileCase {
  name: string;
  entries: TarEntry[];
  /** An error code, or what must be in the tree ('' and directories of mode 755 may be left out). */
  expect: ErrorCode | Record<string, string>;
}

const evil = 'evil';
const deep = Array.from({ length: 2100 }, () => 'd').join('/');

export const HOSTILE: HostileCase[] = [
  // names that climb
  {
    name: 'a name that climbs',
    entries: [{ path: '../canary', content: evil }],
    expect: 'LAYER_PATH_ESCAPE',
  },
  {
    name: 'a name that climbs later',
    entries: [{ path: 'a/../../canary', content: evil }],
    expect: 'LAYER_PATH_ESCAPE',
  },
  {
    name: 'a name that ends by climbing',
    entries: [{ path: 'a/..', type: 'dir' }],
    expect: 'LAYER_PATH_ESCAPE',
  },
  {
    name: 'a climbing name in a pax record',
    entries: [{ path: 'x', pax: { path: '../canary' }, content: evil }],
    expect: 'LAYER_PATH_ESCAPE',
  },
  {
    name: 'an absolute name is taken from the root',
    entries: [{ path: '/etc/passwd', content: evil }],
    expect: { 'etc/passwd': 'file 644 evil' },
  },
  {
    name: 'a name of slashes',
    entries: [{ path: '///etc//.///passwd', content: evil }],
    expect: { 'etc/passwd': 'file 644 evil' },
  },
  {
    name: 'a file in place of the root',
    entries: [
      { path: './', content: evil, type: 'file' },
      { path: '.', content: evil },
    ],
    expect: 'LAYER_INVALID',
  },
  {
    name: 'a link in place of the root',
    entries: [{ path: '.', type: 'symlink', link: '../victim' }],
    expect: 'LAYER_INVALID',
  },

  // symbolic links
  {
    name: 'a link that climbs, then a write through it, stays inside the root',
    entries: [
      { path: 'out', type: 'symlink', link: '../victim' },
      { path: 'out/canary', content: evil },
    ],
    expect: { out: 'link ../victim', 'victim/canary': 'file 644 evil' },
  },
  {
    name: 'an absolute link, then a write through it, stays inside the root',
    entries: [
      { path: 'out', type: 'symlink', link: '/tmp' },
      { path: 'out/skiff-was-here', content: evil },
    ],
    expect: { out: 'link /tmp', 'tmp/skiff-was-here': 'file 644 evil' },
  },
  {
    name: 'a link over a directory that later entries write through',
    entries: [
      { path: 'dir', type: 'dir' },
      { path: 'dir/a', content: 'first' },
      { path: 'dir', type: 'symlink', link: '../victim' },
      { path: 'dir/canary', content: evil },
    ],
    expect: { dir: 'link ../victim', 'victim/canary': 'file 644 evil' },
  },
  {
    name: 'a chain of links',
    entries: [
      { path: 'a', type: 'symlink', link: 'b/../..' },
      { path: 'b', type: 'symlink', link: '../../../' },
      { path: 'a/b/canary', content: evil },
    ],
    expect: { a: 'link b/../..', b: 'link ../../../', canary: 'file 644 evil' },
  },
  {
    name: 'a file through a link does not follow the last link',
    entries: [
      { path: 'f', type: 'symlink', link: '../canary' },
      { path: 'f', content: evil },
    ],
    expect: { f: 'file 644 evil' },
  },
  {
    name: 'links in a circle',
    entries: [
      { path: 'a', type: 'symlink', link: 'b' },
      { path: 'b', type: 'symlink', link: 'a' },
      { path: 'a/x', content: evil },
    ],
    expect: 'LAYER_INVALID',
  },
  {
    name: 'a directory over a link',
    entries: [
      { path: 'out', type: 'symlink', link: '../victim' },
      { path: 'out', type: 'dir' },
      { path: 'out/canary', content: evil },
    ],
    expect: { out: 'dir 755', 'out/canary': 'file 644 evil' },
  },
  {
    name: 'permissions of a directory through a link',
    entries: [
      { path: 'out', type: 'symlink', link: '..' },
      { path: 'out/victim', type: 'dir', mode: 0o500 },
    ],
    expect: { out: 'link ..', victim: 'dir 500' },
  },
  {
    name: 'a link into /proc',
    entries: [
      { path: 'p', type: 'symlink', link: '/proc/self/root/tmp' },
      { path: 'p/skiff-was-here', content: evil },
    ],
    expect: { p: 'link /proc/self/root/tmp', 'proc/self/root/tmp/skiff-was-here': 'file 644 evil' },
  },
  { name: 'a link to nothing', entries: [{ path: 'a', type: 'symlink', link: '' }], expect: 'LAYER_INVALID' },

  // hard links
  {
    name: 'a hard link that climbs',
    entries: [{ path: 'a', type: 'link', link: '../canary' }],
    expect: 'LAYER_PATH_ESCAPE',
  },
  {
    name: 'an absolute hard link',
    entries: [{ path: 'a', type: 'link', link: '/etc/passwd' }],
    expect: 'LAYER_INVALID',
  },
  {
    name: 'a hard link through a link',
    entries: [
      { path: 'out', type: 'symlink', link: '..' },
      { path: 'a', type: 'link', link: 'out/canary' },
    ],
    expect: 'LAYER_INVALID',
  },
  {
    name: 'a hard link to a link, then a write to it',
    entries: [
      { path: 'l', type: 'symlink', link: '../canary' },
      { path: 'h', type: 'link', link: 'l' },
      { path: 'h', content: evil },
    ],
    expect: { l: 'link ../canary', h: 'file 644 evil' },
  },
  {
    name: 'a write over a hard link leaves the other name',
    entries: [
      { path: 'a', content: 'good' },
      { path: 'b', type: 'link', link: 'a' },
      { path: 'b', content: evil },
    ],
    expect: { a: 'file 644 good', b: 'file 644 evil' },
  },
  {
    name: 'a hard link to a directory',
    entries: [
      { path: 'd', type: 'dir' },
      { path: 'h', type: 'link', link: 'd' },
    ],
    expect: 'LAYER_INVALID',
  },
  {
    name: 'a hard link to the root',
    entries: [{ path: 'h', type: 'link', link: '/' }],
    expect: 'LAYER_INVALID',
  },
  {
    name: 'a hard link to nothing',
    entries: [{ path: 'h', type: 'link', link: 'gone' }],
    expect: 'LAYER_INVALID',
  },
  {
    name: 'a hard link to a whiteout',
    entries: [{ path: '.wh.w' }, { path: 'h', type: 'link', link: 'w' }],
    expect: 'LAYER_INVALID',
  },
  {
    name: 'a hard link to itself',
    entries: [
      { path: 'a', content: 'good' },
      { path: 'a', type: 'link', link: './a' },
    ],
    expect: { a: 'file 644 good' },
  },

  // whiteouts
  { name: 'a whiteout of ..', entries: [{ path: '.wh...' }], expect: 'LAYER_PATH_ESCAPE' },
  { name: 'a whiteout of .. below', entries: [{ path: 'a/.wh...' }], expect: 'LAYER_PATH_ESCAPE' },
  { name: 'a whiteout of .', entries: [{ path: '.wh..' }], expect: 'LAYER_PATH_ESCAPE' },
  { name: 'a whiteout of nothing', entries: [{ path: 'a/.wh.' }], expect: 'LAYER_INVALID' },
  { name: 'a whiteout that climbs', entries: [{ path: '../.wh.canary' }], expect: 'LAYER_PATH_ESCAPE' },
  {
    name: 'a whiteout through a link',
    entries: [{ path: 'out', type: 'symlink', link: '..' }, { path: 'out/.wh.canary' }],
    expect: { out: 'link ..', canary: 'whiteout' },
  },
  {
    name: 'an opaque marker through a link',
    entries: [{ path: 'out', type: 'symlink', link: '../victim' }, { path: 'out/.wh..wh..opq' }],
    expect: { out: 'link ../victim', victim: 'dir 755' },
  },
  {
    name: 'aufs metadata is skipped',
    entries: [
      { path: '.wh..wh.plnk/1.2', content: evil },
      { path: '.wh..wh.aufs', content: evil },
    ],
    expect: {},
  },

  // what is where
  {
    name: 'a file where a directory is needed',
    entries: [
      { path: 'a', content: 'x' },
      { path: 'a/b', content: evil },
    ],
    expect: 'LAYER_INVALID',
  },
  {
    name: 'a file over a directory that has a tree',
    entries: [
      { path: 'd/e/f/g', content: 'x' },
      { path: 'd', content: 'y' },
    ],
    expect: { d: 'file 644 y' },
  },
  {
    name: 'a directory that may not be written to, then more in it',
    entries: [
      { path: 'd', type: 'dir', mode: 0o500 },
      { path: 'd/f', content: 'x' },
    ],
    expect: { d: 'dir 500', 'd/f': 'file 644 x' },
  },

  // sizes
  {
    name: 'a size larger than the archive',
    entries: [{ path: 'a', content: 'x', lieAboutSize: 1_000_000 }],
    expect: 'LAYER_INVALID',
  },
  {
    name: 'a size larger than the disk',
    entries: [{ path: 'a', content: 'x', lieAboutSize: 0o77777777777 }],
    expect: 'LAYER_INVALID',
  },
  {
    name: 'a size in a pax record larger than any disk',
    entries: [{ path: 'a', content: 'x', pax: { size: '1000000000000000' } }],
    expect: 'NO_SPACE',
  },
  {
    name: 'a negative size',
    entries: [{ path: 'a', content: 'x', pax: { size: '-1' } }],
    expect: 'LAYER_INVALID',
  },
  {
    name: 'a size that is no number',
    entries: [{ path: 'a', content: 'x', pax: { size: '0x10' } }],
    expect: 'LAYER_INVALID',
  },
  {
    name: 'a sparse file of 8 EiB',
    entries: [{ path: 'a', pax: { 'GNU.sparse.map': '0,0', 'GNU.sparse.size': '9007199254740991' } }],
    expect: 'LAYER_INVALID',
  },
  {
    name: 'a sparse map that lies about its data',
    entries: [{ path: 'a', content: 'x', pax: { 'GNU.sparse.map': '0,100', 'GNU.sparse.size': '100' } }],
    expect: 'LAYER_INVALID',
  },
  {
    name: 'a sparse map that overlaps',
    entries: [{ path: 'a', content: 'xy', pax: { 'GNU.sparse.map': '5,1,0,1', 'GNU.sparse.size': '10' } }],
    expect: 'LAYER_INVALID',
  },
  {
    name: 'a sparse map outside the file',
    entries: [{ path: 'a', content: 'x', pax: { 'GNU.sparse.map': '20,1', 'GNU.sparse.size': '10' } }],
    expect: 'LAYER_INVALID',
  },

  // names
  {
    name: 'a part longer than 255 bytes',
    entries: [{ path: 'x'.repeat(256), content: evil }],
    expect: 'LAYER_INVALID',
  },
  { name: 'a name longer than PATH_MAX', entries: [{ path: deep, content: evil }], expect: 'LAYER_INVALID' },
  {
    name: 'depth beyond PATH_MAX by links',
    entries: [
      { path: `${'d/'.repeat(1030)}x`, content: 'x' },
      { path: 'l', type: 'symlink', link: 'd/'.repeat(1030) },
      { path: `l/${'d/'.repeat(1030)}x`, content: evil },
    ],
    expect: 'LAYER_INVALID',
  },
  {
    name: 'an owner that is no id',
    entries: [{ path: 'a', pax: { uid: '4294967295' } }],
    expect: 'LAYER_INVALID',
  },

  // attributes
  {
    name: 'attributes of overlayfs and of ours are dropped',
    entries: [
      {
        path: 'd',
        type: 'dir',
        xattrs: {
          'user.overlay.opaque': 'y',
          'user.overlay.redirect': '/etc',
          'trusted.overlay.redirect': '/etc',
          'user.skiff.owner': '0:0:4755',
        },
      },
    ],
    expect: { d: 'dir 755' },
  },
];
