import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { printLogs, textOf } from '../../../../src/container/logs/print-logs.ts';
import { ENTRIES, ROWS, type Row } from './logs.cases.ts';
import { specOf } from '../spec.ts';

let graphRoot = '';
const spec = specOf();

beforeAll(() => {
  graphRoot = mkdtempSync(`${tmpdir()}/logs-`);
  const dir = `${graphRoot}/containers/${spec.id}`;
  mkdirSync(dir, { recursive: true });
  writeFileSync(`${dir}/config.json`, JSON.stringify(spec));
  writeFileSync(`${dir}/lock`, '');
  const lines = ENTRIES.map(([log, second, stream]) =>
    JSON.stringify({ log, stream, time: `2026-01-02T00:00:0${second}.000000000Z` }),
  );
  // A line that a crash has cut off, in between and at the end.
  lines.splice(3, 0, '{"log":"torn');
  writeFileSync(`${dir}/log`, `${lines.join('\n')}\n{"log":"torn`);
});
afterAll(() => rmSync(graphRoot, { recursive: true }));

async function shown(row: Partial<Row>, follow: boolean): Promise<Pick<Row, 'stdout' | 'stderr'>> {
  const out = { stdout: '', stderr: '' };
  const flags = { since: undefined, until: undefined, tail: 'all', timestamps: undefined, ...row, follow };
  await printLogs({ paths: { graphRoot }, signal: new AbortController().signal }, spec.id, flags, {
    stdout: (bytes) => (out.stdout += Buffer.from(bytes).toString()),
    stderr: (bytes) => (out.stderr += Buffer.from(bytes).toString()),
  });
  return out;
}

describe('what is shown of a log', () => {
  test.each(ROWS)('%j', async ({ stdout, stderr, ...flags }) => {
    expect(await shown(flags, false)).toEqual({ stdout, stderr });
    // The container has ended: following it ends at once, with the same.
    expect(await shown(flags, true)).toEqual({ stdout, stderr });
  });

  test.each(['x', '1.5', '1 ', '9999999999'])('--tail %j is refused', async (tail) => {
    await expect(shown({ tail }, false)).rejects.toThrow('expected a number or "all"');
  });
});

test('one write for neighbours of one stream, their order kept', () => {
  const entry = (log: string, stream: 'stdout' | 'stderr') => ({ log, stream, time: 'T' });
  const entries = [
    entry('a\n', 'stdout'),
    entry('b\n', 'stdout'),
    entry('c', 'stderr'),
    entry('d\n', 'stdout'),
  ];
  expect(textOf(entries, { details: false, timestamps: true })).toEqual([
    { stream: 'stdout', text: 'T a\nT b\n' },
    { stream: 'stderr', text: 'T c' },
    { stream: 'stdout', text: 'T d\n' },
  ]);
});
