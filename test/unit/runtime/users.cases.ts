// docker's reading of USER and --user: first match in the file wins; a number is tried as a name too.

export const PASSWD = [
  'root:x:0:0:root:/root:/bin/sh',
  '# a comment',
  'broken line',
  'app:x:1000:1001:App:/home/app:/bin/sh',
  'nohome:x:5:5:::',
  '42:x:77:78::/odd:',
  'badgid:x:9:x::/b:',
].join('\n');

export const GROUP = [
  'root:x:0:',
  'bin:x:1:root,app',
  'wheel:x:10:app',
  'app:x:1001:',
  'video:x:44:other',
  '600:x:601:',
].join('\n');

export interface UserCase {
  spec: string;
  uid: number;
  gid: number;
  groups?: number[];
  home: string;
}

export const USER_CASES: UserCase[] = [
  { spec: '', uid: 0, gid: 0, groups: [1], home: '/root' },
  { spec: '0', uid: 0, gid: 0, groups: [1], home: '/root' },
  { spec: 'app', uid: 1000, gid: 1001, groups: [1, 10], home: '/home/app' },
  { spec: '1000', uid: 1000, gid: 1001, groups: [1, 10], home: '/home/app' },
  { spec: 'app:', uid: 1000, gid: 1001, groups: [1, 10], home: '/home/app' },
  { spec: 'app:wheel', uid: 1000, gid: 10, home: '/home/app' },
  { spec: 'app:4242', uid: 1000, gid: 4242, home: '/home/app' },
  { spec: '1234', uid: 1234, gid: 0, home: '/' },
  { spec: '1234:5678', uid: 1234, gid: 5678, home: '/' },
  { spec: ':wheel', uid: 0, gid: 10, home: '/root' },
  { spec: 'nohome', uid: 5, gid: 5, home: '/' },
  { spec: '42', uid: 77, gid: 78, home: '/odd' },
  { spec: '0:600', uid: 0, gid: 601, home: '/root' },
  { spec: 'badgid', uid: 9, gid: 0, home: '/b' },
];

export const BAD_USERS: [spec: string, message: RegExp][] = [
  ['nobody', /unable to find user nobody: no matching entries in passwd file/],
  ['app:nogroup', /unable to find group nogroup: no matching entries in group file/],
  ['a:b:c', /expected NAME\|UID\[:GROUP\|GID\]/],
  ['2147483648', /must be in range 0-2147483647/],
  ['0:99999999999', /must be in range/],
  ['-1', /unable to find user -1/],
];
