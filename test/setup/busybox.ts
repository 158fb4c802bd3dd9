// Root file system of the small test image: one static busybox under the names of all its applets.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import type { TarEntry } from '../helpers/tar-writer.ts';

export const IMAGE_ENV = ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'];

/** Where the package busybox-static puts it. */
export const BUSYBOX = ['/bin/busybox', '/usr/bin/busybox'].find((path) => existsSync(path));

const PASSWD = `root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/bin/false
app:x:1000:1000:An App:/home/app:/bin/sh
nobody:x:65534:65534:nobody:/nonexistent:/bin/false
`;
const GROUP = `root:x:0:
daemon:x:1:
audio:x:29:app
app:x:1000:
extra:x:2000:app
nogroup:x:65534:
`;

export function busyboxEntries(): TarEntry[] {
  if (BUSYBOX === undefined) throw new Error('no busybox: apt-get install busybox-static');
  const applets = execFileSync(BUSYBOX, ['--list'], { encoding: 'utf8' }).split('\n');
  const dirs = ['bin', 'dev', 'etc', 'home', 'proc', 'root', 'sys', 'usr', 'usr/bin', 'var', 'var/log'];
  return [
    ...dirs.map((path): TarEntry => ({
      path: `${path}/`,
      type: 'dir',
      mode: path === 'root' ? 0o700 : 0o755,
    })),
    { path: 'tmp/', type: 'dir', mode: 0o1777 },
    { path: 'home/app/', type: 'dir', uid: 1000, gid: 1000 },
    { path: 'bin/busybox', mode: 0o755, content: readFileSync(BUSYBOX) },
    ...applets
      .filter((applet) => applet !== '' && applet !== 'busybox')
      .map((applet): TarEntry => ({ path: `bin/${applet}`, type: 'link', link: 'bin/busybox', mode: 0o755 })),
    { path: 'etc/passwd', content: PASSWD },
    { path: 'etc/group', content: GROUP },
    { path: 'etc/not-executable', content: '#!/bin/sh\n' },
    { path: 'etc/bad-interpreter', content: '#!/no/such/shell\n', mode: 0o755 },
    { path: 'etc/bad-format', content: 'neither ELF nor script', mode: 0o755 },
  ];
}
