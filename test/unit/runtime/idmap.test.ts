import { describe, expect, test } from 'vitest';
import { chooseIdMap, freeRangeStart } from '../../../src/runtime/idmap.ts';
import { toHostId } from '../../../src/runtime/mapped-ids.ts';
import { BAD_USERNS, MAP_CASES, mapTexts, TESTER } from './idmap.cases.ts';

describe('chooseIdMap', () => {
  test.each(MAP_CASES)('$name', ({ input, uid, gid, via, notes }) => {
    const choice = chooseIdMap(input);
    expect(choice.idMap && mapTexts(choice.idMap, 'uid')).toEqual(uid);
    expect(choice.idMap && mapTexts(choice.idMap, 'gid')).toEqual(gid);
    expect(choice.user.kind === 'new' ? choice.user.via : choice.user.kind).toBe(via);
    expect(choice.notes).toHaveLength(notes ?? 0);
  });

  test.each(BAD_USERNS)('--userns %s is refused', (userns, input, message) => {
    expect(() => chooseIdMap({ ...input, userns })).toThrow(message);
  });

  test('no id is mapped twice, on either side', () => {
    for (const { input } of MAP_CASES) {
      const { idMap } = chooseIdMap(input);
      for (const list of idMap === undefined ? [] : [idMap.uid, idMap.gid]) {
        for (const [i, a] of list.entries()) {
          for (const b of list.slice(i + 1)) {
            expect(a.containerID + a.size <= b.containerID || b.containerID + b.size <= a.containerID).toBe(
              true,
            );
            expect(a.hostID + a.size <= b.hostID || b.hostID + b.size <= a.hostID).toBe(true);
          }
        }
      }
    }
  });

  test('the single-id note names the command that mends it, with ids that nobody has', () => {
    expect(chooseIdMap({ ...TESTER, subgid: '' }).notes[0]).toBe(
      'no subordinate ids for user tester: running with a single uid; ' +
        'fix: sudo usermod --add-subuids 165536-231071 --add-subgids 165536-231071 tester',
    );
    expect(chooseIdMap({ ...TESTER, userName: undefined, subuid: '' }).notes[0]).toContain(
      'echo 1001:100000:65536 | sudo tee -a /etc/subuid /etc/subgid',
    );
    expect(chooseIdMap({ ...TESTER, hasNewidmap: false }).notes[0]).toContain('uidmap');
  });

  test('equal maps have equal keys, others have not', () => {
    const key = (userns: string | undefined): string => chooseIdMap({ ...TESTER, userns }).mapKey;
    expect(key(undefined)).toBe(key('private'));
    expect(key(undefined)).not.toBe(key('keep-id'));
    expect(key('keep-id:uid=0,gid=0')).toBe(key(undefined));
  });

  test('keep-id runs as the kept ids', () => {
    expect(chooseIdMap({ ...TESTER, userns: 'keep-id:uid=5' }).defaultUser).toEqual({ uid: 5, gid: 1002 });
    expect(chooseIdMap(TESTER).defaultUser).toBeUndefined();
  });
});

test.each([
  ['', '', 100_000],
  ['a:100000:65536', '', 165_536],
  ['', 'a:100000:65536', 165_536],
  ['a:100000:65536\nb:200000:65536', '', 265_536],
  ['a:100000:65536\nb:4294900000:60000', '', 165_536],
  ['a:231072:65536', 'b:100000:65536', 165_536],
  ['a:100000:65536', 'b:165536:65536\nbroken\nc:1:x', 231_072],
  ['a:5:10\nb:100000:200000\nc:100000:65536', '', 300_000],
])('freeRangeStart of %j and %j', (subuid, subgid, start) => {
  expect(freeRangeStart({ subuid, subgid })).toBe(start);
});

test('toHostId', () => {
  const list = [
    { containerID: 0, hostID: 1001, size: 1 },
    { containerID: 1, hostID: 100000, size: 10 },
  ];
  expect([0, 1, 10, 11].map((id) => toHostId(list, id))).toEqual([1001, 100000, 100009, undefined]);
});
