// user_namespaces(7), subuid(5), podman-run(1) "--userns".

import type { IdMap } from '../../../src/native/plan.ts';
import type { IdMapInput } from '../../../src/runtime/idmap.ts';

export const TESTER: IdMapInput = {
  hostUid: 1001,
  hostGid: 1002,
  userName: 'tester',
  subuid: 'tester:100000:65536\n',
  subgid: 'tester:200000:65536\n',
  hasNewidmap: true,
  userns: undefined,
};

const ROOT: IdMapInput = { ...TESTER, hostUid: 0, hostGid: 0, userName: 'root', subuid: '', subgid: '' };

export interface MapCase {
  name: string;
  input: IdMapInput;
  /** `container:host:size` */
  uid: string[] | undefined;
  gid: string[] | undefined;
  via: 'host' | 'newidmap' | 'self';
  notes?: number;
}

export const MAP_CASES: MapCase[] = [
  {
    name: 'container root is the caller, subordinate ids follow',
    input: TESTER,
    uid: ['0:1001:1', '1:100000:65536'],
    gid: ['0:1002:1', '1:200000:65536'],
    via: 'newidmap',
  },
  {
    name: 'ranges listed under the number',
    input: { ...TESTER, userName: undefined, subuid: '1001:100000:65536', subgid: '1001:200000:65536' },
    uid: ['0:1001:1', '1:100000:65536'],
    gid: ['0:1002:1', '1:200000:65536'],
    via: 'newidmap',
  },
  {
    name: 'several ranges one after the other, adjacent ones joined, overlapping and foreign ones skipped',
    input: {
      ...TESTER,
      subuid:
        '# comment\nother:1:9\ntester:100000:10\ntester:100010:5\ntester:100012:50\n1001:300000:7\ntester:x:1\ntester:5:0\n',
    },
    uid: ['0:1001:1', '1:100000:15', '16:300000:7'],
    gid: ['0:1002:1', '1:200000:65536'],
    via: 'newidmap',
  },
  {
    name: 'no range: a single id',
    input: { ...TESTER, subuid: '' },
    uid: ['0:1001:1'],
    gid: ['0:1002:1'],
    via: 'self',
    notes: 1,
  },
  {
    name: 'a range that maps the host root is not used',
    input: { ...TESTER, subuid: 'tester:0:65536' },
    uid: ['0:1001:1'],
    gid: ['0:1002:1'],
    via: 'self',
    notes: 1,
  },
  {
    name: 'no newuidmap: a single id',
    input: { ...TESTER, hasNewidmap: false },
    uid: ['0:1001:1'],
    gid: ['0:1002:1'],
    via: 'self',
    notes: 1,
  },
  { name: 'root uses no user namespace', input: ROOT, uid: undefined, gid: undefined, via: 'host' },
  {
    name: 'root with --userns host',
    input: { ...ROOT, userns: 'host' },
    uid: undefined,
    gid: undefined,
    via: 'host',
  },
  {
    name: 'a user with --userns host gets the default and is told',
    input: { ...TESTER, userns: 'host' },
    uid: ['0:1001:1', '1:100000:65536'],
    gid: ['0:1002:1', '1:200000:65536'],
    via: 'newidmap',
    notes: 1,
  },
  {
    name: 'keep-id',
    input: { ...TESTER, userns: 'keep-id' },
    uid: ['0:100000:1001', '1001:1001:1', '1002:101001:64535'],
    gid: ['0:200000:1002', '1002:1002:1', '1003:201002:64534'],
    via: 'newidmap',
  },
  {
    name: 'keep-id as somebody else',
    input: { ...TESTER, userns: 'keep-id:uid=0,gid=65536' },
    uid: ['0:1001:1', '1:100000:65536'],
    gid: ['0:200000:65536', '65536:1002:1'],
    via: 'newidmap',
  },
  {
    name: 'keep-id with a range border below the kept id',
    input: { ...TESTER, subuid: 'tester:100000:1000\ntester:300000:1000', userns: 'keep-id' },
    uid: ['0:100000:1000', '1000:300000:1', '1001:1001:1', '1002:300001:999'],
    gid: ['0:200000:1002', '1002:1002:1', '1003:201002:64534'],
    via: 'newidmap',
  },
  {
    name: 'keep-id without ranges',
    input: { ...TESTER, subuid: '', userns: 'keep-id' },
    uid: ['1001:1001:1'],
    gid: ['1002:1002:1'],
    via: 'self',
    notes: 1,
  },
];

export const BAD_USERNS: [userns: string, input: IdMapInput, message: RegExp][] = [
  ['nomap', TESTER, /expected host, private or keep-id/],
  ['keep-id:uid=x', TESTER, /"uid=x" is not uid=N or gid=N/],
  ['keep-id:size=3', TESTER, /is not uid=N/],
  ['keep-id:uid=4294967295', TESTER, /is not uid=N/],
  ['keep-id:uid=70000', TESTER, /beyond the 65536 subordinate ids in \/etc\/subuid/],
  ['keep-id', ROOT, /root's containers use the host's ids/],
  ['private', ROOT, /root's containers use the host's ids/],
];

export function mapTexts(map: IdMap, side: 'uid' | 'gid'): string[] {
  return map[side].map(({ containerID, hostID, size }) => `${containerID}:${hostID}:${size}`);
}
