import { describe, expect, it } from 'vitest';
import { parseChmod } from '../../../../src/builder/context/chmod.ts';
import { resolveChown } from '../../../../src/builder/context/chown.ts';

describe('--chmod', () => {
  it.each([
    ['644', 0o755, false, 0o644],
    ['0', 0o755, true, 0],
    ['07777', 0, false, 0o7777],
    ['u+x', 0o644, false, 0o744],
    ['+x', 0o644, false, 0o755],
    ['a=r', 0o755, false, 0o444],
    ['u=rwX,go=rX', 0o600, false, 0o644],
    ['u=rwX,go=rX', 0o700, false, 0o755],
    ['u=rwX,go=rX', 0o600, true, 0o755],
    ['go-rwx', 0o777, false, 0o700],
    ['g=u', 0o640, false, 0o660],
    ['u+s', 0o755, false, 0o4755],
    ['g+s,o+t', 0o755, true, 0o3755],
    ['u-s', 0o4755, false, 0o755],
    ['u=rw', 0o4755, false, 0o655],
    ['u=rwx', 0o2755, true, 0o2755],
    ['u=rw-x+x', 0o000, false, 0o700],
  ])('%s of %o (directory: %s): %o', (text, mode, isDirectory, expected) => {
    expect(parseChmod(text)(mode, isDirectory).toString(8)).toBe(expected.toString(8));
  });

  it.each(['8', '10000', '0000000644', 'u', 'x+u', 'u+q', 'u+x,', '-1', ' 644', 'rwxr-xr-x'])(
    '%s is refused',
    (text) => {
      expect(() => parseChmod(text)).toThrow(`--chmod=${text}: `);
    },
  );
});

describe('--chown', () => {
  const files = {
    passwd: 'root:x:0:0::/root:/bin/sh\nweb:x:33:34::/:/bin/false\n',
    group: 'root:x:0:\nstaff:x:50:web\n',
  };

  it.each([
    ['3', { uid: 3, gid: 3 }],
    ['3:4', { uid: 3, gid: 4 }],
    ['web', { uid: 33, gid: 34 }],
    ['web:', { uid: 33, gid: 34 }],
    ['web:staff', { uid: 33, gid: 50 }],
    ['3:staff', { uid: 3, gid: 50 }],
    [':staff', { uid: 0, gid: 50 }],
    ['web:7', { uid: 33, gid: 7 }],
  ])('%s', (text, owner) => {
    expect(resolveChown(text, () => files)).toEqual(owner);
  });

  it('reads nothing for numbers', () => {
    const read = (): never => {
      throw new Error('read');
    };
    expect(resolveChown('33:33', read)).toEqual({ uid: 33, gid: 33 });
  });

  it.each([
    ['nobody', '--chown=nobody: unable to find user nobody: no matching entries in passwd file'],
    ['3:wheel', '--chown=3:wheel: unable to find group wheel'],
    ['', '--chown=: names no user and no group'],
    ['a:b:c', '--chown=a:b:c: '],
  ])('%s is refused', (text, message) => {
    expect(() => resolveChown(text, () => files)).toThrow(message);
  });
});
