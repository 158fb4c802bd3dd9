import { describe, expect, test } from 'vitest';
import { resolveUser } from '../../../src/runtime/users.ts';
import { BAD_USERS, GROUP, PASSWD, USER_CASES } from './users.cases.ts';

const FILES = { passwd: PASSWD, group: GROUP };

describe('resolveUser', () => {
  test.each(USER_CASES)('"$spec"', ({ spec, uid, gid, groups, home }) => {
    const user = resolveUser(spec, FILES);
    expect([user.containerUid, user.containerGid, user.additionalGids, user.home]).toEqual([
      uid,
      gid,
      [gid, ...(groups ?? [])],
      home,
    ]);
  });

  test.each(BAD_USERS)('"%s" is refused', (spec, message) => {
    expect(() => resolveUser(spec, FILES)).toThrow(message);
  });

  test('an image without files knows numbers only', () => {
    const none = { passwd: undefined, group: undefined };
    expect(resolveUser('', none)).toMatchObject({ containerUid: 0, containerGid: 0, home: '/' });
    expect(() => resolveUser('app', none)).toThrow('the image has no /etc/passwd');
  });

  test('--group-add by name and number, none twice', () => {
    expect(resolveUser('app', FILES, ['video', '1', '500', '1001']).additionalGids).toEqual([
      1001, 1, 10, 44, 500,
    ]);
    expect(() => resolveUser('app', FILES, ['nogroup'])).toThrow('unable to find group nogroup');
  });
});
