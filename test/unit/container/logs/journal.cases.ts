// Queries and the arguments of journalctl; lines of `journalctl --output=json` and what they mean.

import type { JournalEntry, JournalQuery } from '../../../../src/container/logs/journal-entries.ts';

const always = ['--quiet', '--no-pager', '--all', '--output=json'];
const matches = ['CONTAINER_ID_FULL=abc', '_UID=1000'];

export const ARGUMENTS: [what: string, query: Partial<JournalQuery>, args: string[]][] = [
  ['everything', {}, [...always, ...matches]],
  ['the last entries', { tail: 3 }, [...always, '--lines=3', ...matches]],
  ['none', { tail: 0 }, [...always, '--lines=0', ...matches]],
  ['since, in microseconds', { sinceNs: 1_000_005_999n }, [...always, '--since=@1.000005', ...matches]],
  [
    'the last ones of all, not of those since',
    { tail: 3, sinceNs: 9n },
    [...always, '--lines=3', ...matches],
  ],
  ['follow from the beginning', { follow: true }, [...always, '--follow', '--no-tail', ...matches]],
  ['follow from the end', { follow: true, tail: 0 }, [...always, '--lines=0', '--follow', ...matches]],
  ['the rest', { tail: 3, cursor: 's=1;i=2' }, [...always, '--after-cursor=s=1;i=2', ...matches]],
];

const common = { __CURSOR: 'c', __REALTIME_TIMESTAMP: '1767366245000006', PRIORITY: '6' };
const entry = {
  log: 'text\n',
  stream: 'stdout',
  time: '2026-01-02T15:04:05.000006000Z',
  cursor: 'c',
} as const;

export const LINES: [what: string, fields: unknown, entry: JournalEntry | undefined][] = [
  ['a line', { ...common, MESSAGE: 'text' }, entry],
  ['of stderr', { ...common, MESSAGE: 'text', PRIORITY: '3' }, { ...entry, stream: 'stderr' }],
  ['an empty one', { ...common, MESSAGE: '' }, { ...entry, log: '\n' }],
  ['a part', { ...common, MESSAGE: 'te', CONTAINER_PARTIAL_MESSAGE: 'true' }, { ...entry, log: 'te' }],
  ['bytes', { ...common, MESSAGE: [0xff, 0x61, 0xc3, 0xbc] }, { ...entry, log: '\udcffaü\n' }],
  ['no message', { ...common, MESSAGE: null }, undefined],
  ['no cursor', { ...common, MESSAGE: 'text', __CURSOR: undefined }, undefined],
  ['a time that is none', { ...common, MESSAGE: 'text', __REALTIME_TIMESTAMP: 'now' }, undefined],
  ['no object', null, undefined],
];
