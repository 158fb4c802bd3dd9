// docker-run(1) "--volume", "--mount", "--tmpfs".

import type { MountSpec, VolumeMount } from '../../../src/runtime/mount-spec.ts';

const bind = (
  source: string,
  target: string,
  rest: Partial<Extract<MountSpec, { type: 'bind' }>> = {},
): MountSpec => ({
  type: 'bind',
  source,
  target,
  flags: {},
  recursive: true,
  propagation: 'rprivate',
  createSource: true,
  ...rest,
});

const volume = (name: string | undefined, target: string, rest: Partial<VolumeMount> = {}): MountSpec => ({
  type: 'volume',
  name,
  anonymous: name === undefined,
  target,
  flags: {},
  noCopy: false,
  mode: name === undefined ? '' : 'z',
  ...rest,
});

const SAFE = { noSuid: true, noDev: true, noExec: true };

/** cwd is /work. */
export const VOLUMES: [text: string, mount: MountSpec, notes?: number][] = [
  ['/a:/b', bind('/a', '/b')],
  ['/a:/b:ro', bind('/a', '/b', { flags: { readOnly: true } })],
  ['/a:/b:rw,z', bind('/a', '/b', { flags: { readOnly: false } }), 1],
  ['/a:/b:ro,Z,rslave', bind('/a', '/b', { flags: { readOnly: true }, propagation: 'rslave' }), 1],
  ['/a:/b:bind,noexec,nosuid,nodev', bind('/a', '/b', { recursive: false, flags: SAFE })],
  ['/a:/b:cached', bind('/a', '/b')],
  ['.:/b', bind('/work', '/b')],
  ['./x/../y:/b', bind('/work/y', '/b')],
  ['../x:/b', bind('/x', '/b')],
  ['/a//b/./c/..:/d//e/', bind('/a/b', '/d/e')],
  ['/:/host:ro', bind('/', '/host', { flags: { readOnly: true } })],
  ['/data', volume(undefined, '/data')],
  ['/data/../x/', volume(undefined, '/x')],
  ['cache:/data', volume('cache', '/data')],
  ['cache:/data:ro', volume('cache', '/data', { flags: { readOnly: true }, mode: 'ro' })],
  [
    'cache:/data:rw,nocopy',
    volume('cache', '/data', { flags: { readOnly: false }, noCopy: true, mode: 'rw,nocopy' }),
  ],
  ['cache:/data:Z', volume('cache', '/data', { mode: 'Z' }), 1],
  ['Ab.c_d-9:/data:cached', volume('Ab.c_d-9', '/data', { mode: 'cached' })],
];

export const BAD_VOLUMES: [text: string, message: RegExp][] = [
  ['', /invalid volume specification/],
  ['/a:', /invalid volume specification/],
  [':/b', /invalid volume specification/],
  ['/a:/b:ro:x', /invalid volume specification/],
  ['/a:b', /mount path must be absolute/],
  ['/a:/', /destination can't be '\/'/],
  ['/a:/x/..', /destination can't be '\/'/],
  ['/a:/b:weird', /unknown option "weird"/],
  ['/a:/b:ro,rw', /invalid mode: ro,rw$/],
  ['/a:/b:rw,z,rw', /invalid mode: rw,rw$/],
  ['/a:/b:shared,rslave', /invalid mode: shared,rslave$/],
  ['/a:/b:z,Z', /invalid mode: z,Z$/],
  ['/a:/b:noexec,exec', /invalid mode: noexec,exec$/],
  ['a/b:/c', /is no volume name/],
  ['x:/c', /is no volume name/],
  ['-x:/c', /is no volume name/],
  [`${'x'.repeat(256)}:/c`, /is no volume name/],
  ['cache:data', /mount path must be absolute/],
  ['cache:/data:rslave', /unknown option "rslave" for a volume/],
  ['cache:/data:U', /unknown option "U" for a volume/],
];

export const MOUNTS: [text: string, mount: MountSpec][] = [
  ['type=bind,source=/a,target=/b', bind('/a', '/b', { createSource: false })],
  ['type=bind,src=/a,dst=/b,readonly', bind('/a', '/b', { createSource: false, flags: { readOnly: true } })],
  [
    'type=bind,src=/a,destination=/b,ro=false',
    bind('/a', '/b', { createSource: false, flags: { readOnly: false } }),
  ],
  [
    'type=bind,src=./a,dst=/b,bind-propagation=shared',
    bind('/work/a', '/b', { createSource: false, propagation: 'shared' }),
  ],
  [
    'type=bind,src=/a,dst=/b,bind-recursive=disabled',
    bind('/a', '/b', { createSource: false, recursive: false }),
  ],
  ['type=bind,"src=/with,comma",dst=/b', bind('/with,comma', '/b', { createSource: false })],
  ['type=bind,"src=/with""quote",dst=/b', bind('/with"quote', '/b', { createSource: false })],
  ['type=tmpfs,target=/t', { type: 'tmpfs', target: '/t', flags: SAFE, data: '' }],
  [
    'type=tmpfs,target=/t,tmpfs-size=1m,tmpfs-mode=1770',
    { type: 'tmpfs', target: '/t', flags: SAFE, data: 'size=1048576,mode=1770' },
  ],
  ['target=/t', volume(undefined, '/t', { mode: 'z' })],
  ['type=volume,source=,target=/t', volume(undefined, '/t', { mode: 'z' })],
  ['type=volume,source=vol,target=/t', volume('vol', '/t')],
  ['type=volume,src=vol,dst=/t,ro', volume('vol', '/t', { flags: { readOnly: true } })],
  ['type=volume,src=vol,dst=/t,volume-nocopy', volume('vol', '/t', { noCopy: true })],
  ['type=volume,src=vol,dst=/t,volume-nocopy=false,volume-driver=local', volume('vol', '/t')],
  ['type=volume,src=vol,dst=/t,volume-subpath=a/b', volume('vol', '/t', { noCopy: true, subpath: 'a/b' })],
  ['type=volume,src=vol,dst=/t,volume-subpath=', volume('vol', '/t')],
  [
    'type=volume,src=vol,dst=/t,volume-opt=type=tmpfs,volume-opt=device=tmpfs,"volume-opt=o=size=1m,mode=700",volume-label=a=b',
    volume('vol', '/t', {
      make: { options: { type: 'tmpfs', device: 'tmpfs', o: 'size=1m,mode=700' }, labels: { a: 'b' } },
    }),
  ],
];

export const BAD_MOUNTS: [text: string, message: RegExp][] = [
  ['type=bind,source=/a', /target is required/],
  ['type=bind,target=/b', /source is required/],
  ['type=bind,source=a,target=/b', /must be absolute/],
  ['type=bind,source=/a,target=b', /mount path must be absolute/],
  ['type=bind,source=/a,target=/b,frob=1', /unexpected key "frob"/],
  ['type=bind,source=/a,target=/b,readonly=maybe', /invalid value for readonly: "maybe"/],
  ['type=bind,source=/a,target=/b,bind-propagation=x', /bind-propagation must be one of/],
  ['type=tmpfs,source=/a,target=/b', /source is not allowed/],
  ['type=tmpfs,target=/b,tmpfs-mode=9', /tmpfs-mode must be octal/],
  ['type=tmpfs,target=/b,tmpfs-size=big', /invalid size/],
  ['type=npipe,source=/a,target=/b', /type "npipe" is not supported/],
  ['type=bind,"src=/a,dst=/b', /misplaced quote/],
  ['type=bind,source=/a,target=/b,volume-opt=type=tmpfs', /unexpected key "volume-opt"/],
  ['type=bind,source=/a,target=/b,volume-nocopy', /unexpected key "volume-nocopy"/],
  ['type=volume,source=/a,target=/b', /"\/a" is no volume name/],
  ['type=volume,source=v,target=/b', /"v" is no volume name/],
  ['type=volume,source=vol,target=/b,volume-nocopy=maybe', /invalid value for volume-nocopy/],
  ['type=volume,source=vol,target=/b,volume-opt==x', /volume-opt: expected KEY=VALUE/],
  ['type=volume,source=vol,target=/b,volume-driver=nfs', /volume driver "nfs": plugin not found/],
  ['type=volume,source=vol,target=/b,volume-subpath=/x', /volume-subpath must be a relative path/],
  ['type=volume,source=vol,target=/b,volume-subpath=x/../..', /volume-subpath must be a relative path/],
  ['type=volume,source=vol,target=/b,bind-propagation=shared', /unexpected key "bind-propagation"/],
  ['type=image,source=busybox,target=/b', /type "image" is not supported/],
];

export const TMPFS: [text: string, mount: MountSpec][] = [
  ['/run', { type: 'tmpfs', target: '/run', flags: SAFE, data: '' }],
  [
    '/run:exec,suid,size=64m,mode=755',
    {
      type: 'tmpfs',
      target: '/run',
      flags: { noSuid: false, noDev: true, noExec: false },
      data: 'size=64m,mode=755',
    },
  ],
  [
    '/run:size=50%,mode=01777,uid=5,gid=6,nr_inodes=1k,huge=never',
    {
      type: 'tmpfs',
      target: '/run',
      flags: SAFE,
      data: 'size=50%,mode=01777,uid=5,gid=6,nr_inodes=1k,huge=never',
    },
  ],
  ['/run:ro', { type: 'tmpfs', target: '/run', flags: { ...SAFE, readOnly: true }, data: '' }],
];

export const BAD_TMPFS: [text: string, message: RegExp][] = [
  ['run', /must be absolute/],
  ['/run:size=abc', /^--tmpfs "\/run:size=abc": invalid size=abc, expected a number of bytes/],
  ['/run:size=', /invalid size=,/],
  ['/run:size=1x', /invalid size=1x/],
  ['/run:mode=9999', /invalid mode=9999, expected octal digits/],
  ['/run:uid=root', /invalid uid=root, expected a number/],
  ['/run:gid=-1', /invalid gid=-1/],
  ['/run:nr_inodes=many', /invalid nr_inodes=many/],
  ['/run:huge=big', /invalid huge=big/],
  ['/run:toString=1', /unknown option "toString=1"/],
  ['/run:frob', /unknown option "frob"/],
  ['/', /destination can't be/],
];
