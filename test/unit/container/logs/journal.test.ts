import { describe, expect, test } from 'vitest';
import { journalArguments, parseJournalLine } from '../../../../src/container/logs/journal-entries.ts';
import { journalFields } from '../../../../src/container/logs/journal-fields.ts';
import type { ContainerId } from '../../../../src/runtime/spec.ts';
import { ARGUMENTS, LINES } from './journal.cases.ts';

test.each(ARGUMENTS)('journalctl is asked for %s', (_, query, args) => {
  const all = { id: 'abc', uid: 1000, tail: undefined, sinceNs: undefined, follow: false };
  expect(journalArguments({ ...all, ...query })).toEqual(args);
});

describe('an entry of journalctl', () => {
  test.each(LINES)('%s', (_, fields, entry) => {
    expect(parseJournalLine(JSON.stringify(fields))).toEqual(entry);
  });

  test('a torn line', () => {
    expect(parseJournalLine('{"MESSAGE":"te')).toBeUndefined();
  });
});

describe('fields of every entry', () => {
  const id = '0123456789ab'.padEnd(64, 'f') as ContainerId;
  const logOptions = { maxSizeBytes: 0, maxFiles: 1, typed: {} };
  const text = (spec: Parameters<typeof journalFields>[0]): string =>
    Buffer.from(journalFields(spec)).toString();

  test('of an image', () => {
    expect(text({ id, name: 'web', image: { name: 'busybox:latest' }, host: { logOptions } })).toBe(
      `CONTAINER_ID=0123456789ab\nCONTAINER_ID_FULL=${id}\nCONTAINER_NAME=web\nCONTAINER_TAG=0123456789ab\n` +
        'SYSLOG_IDENTIFIER=0123456789ab\nIMAGE_NAME=busybox:latest\n',
    );
  });

  test('of a directory, with a tag', () => {
    expect(
      text({ id, name: 'web', image: undefined, host: { logOptions: { ...logOptions, tag: 'a b' } } }),
    ).toBe(
      `CONTAINER_ID=0123456789ab\nCONTAINER_ID_FULL=${id}\nCONTAINER_NAME=web\nCONTAINER_TAG=a b\nSYSLOG_IDENTIFIER=a b\n`,
    );
  });
});
