// docker-volume-create(1), "Driver-specific options": what an ordinary user can mount, and what is refused by its name.

import type { VolumeKind } from '../../../src/volume/options.ts';

export const OPTIONS: [options: Record<string, string>, kind: VolumeKind][] = [
  [{}, { kind: 'own' }],
  [
    { type: 'none', o: 'bind', device: '/srv/data' },
    { kind: 'bind', device: '/srv/data', recursive: false, flags: {} },
  ],
  [
    { type: 'none', o: 'rbind,ro,nosuid', device: '/a' },
    { kind: 'bind', device: '/a', recursive: true, flags: { readOnly: true, noSuid: true } },
  ],
  [
    { o: 'bind', device: '/a' },
    { kind: 'bind', device: '/a', recursive: false, flags: {} },
  ],
  [
    { type: 'bind', device: '/a' },
    { kind: 'bind', device: '/a', recursive: false, flags: {} },
  ],
  [
    { type: 'none', o: 'ro,bind,rw,defaults', device: '/a' },
    { kind: 'bind', device: '/a', recursive: false, flags: { readOnly: false } },
  ],
  [
    { type: 'tmpfs', device: 'tmpfs' },
    { kind: 'tmpfs', data: '', flags: {} },
  ],
  [
    { type: 'tmpfs', device: 'tmpfs', o: 'size=100m,uid=1000,noexec,mode=1777' },
    { kind: 'tmpfs', data: 'size=100m,uid=1000,mode=1777', flags: { noExec: true } },
  ],
];

export const BAD_OPTIONS: [options: Record<string, string>, message: RegExp][] = [
  [{ size: '10G' }, /^volume "vol": option "size": a quota/],
  [{ frob: '1' }, /^volume "vol": invalid option: "frob"$/],
  [{ device: '/a' }, /missing required option: "type"/],
  [{ type: 'none', o: 'bind' }, /missing required option: "device"/],
  [{ type: 'none', device: '/a' }, /"type=none" needs "o=bind"/],
  [{ type: 'none', o: 'bind', device: 'a/b' }, /"device=a\/b": the directory must be absolute/],
  [{ type: 'none', o: 'bind,addr=1', device: '/a' }, /"o=addr=1" is none of a bind mount/],
  [{ type: 'nfs', o: 'addr=10.0.0.1,rw', device: ':/x' }, /"type=nfs": only root may mount that/],
  [{ type: 'ext4', device: '/dev/sda1' }, /"type=ext4": only root may mount that/],
  [{ type: 'tmpfs', device: 'tmpfs', o: 'addr=1' }, /"o=addr=1" is none of a tmpfs/],
];
