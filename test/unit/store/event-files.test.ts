// The event log: written by several processes at once (the addon's part), rotated, cut off, and read meanwhile.

import { execFile } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { addon } from '../../../src/native/addon.ts';
import { EventFiles } from '../../../src/store/event-files.ts';
import { logEvent, logPrune, subjectText } from '../../../src/store/event-log.ts';

let dir = '';
let log = '';
beforeEach(() => {
  dir = mkdtempSync(`${tmpdir()}/events-`);
  log = `${dir}/events.log`;
});
afterEach(() => rmSync(dir, { recursive: true }));

const rotate = (): void => {
  for (const n of [2, 1, 0]) {
    const from = n === 0 ? log : `${log}.${n}`;
    if (statSync(from, { throwIfNoEntry: false }) !== undefined) renameSync(from, `${log}.${n + 1}`);
  }
};

describe('reading', () => {
  test('what was there, what is added, and nothing twice', () => {
    const files = new EventFiles(log);
    expect([...files.lines()]).toEqual([]);
    writeFileSync(log, '\na\n\nb\n');
    expect([...files.lines()]).toEqual(['a', 'b']);
    expect([...files.lines()]).toEqual([]);
    appendFileSync(log, '\nc');
    expect([...files.lines()]).toEqual([]);
    appendFileSync(log, 'd\n');
    expect([...files.lines()]).toEqual(['cd']);
    files.close();
  });

  test('oldest file first', () => {
    writeFileSync(`${log}.3`, '1\n');
    writeFileSync(`${log}.1`, '2\n');
    writeFileSync(log, '3\n');
    writeFileSync(`${log}.4`, 'not one of ours\n');
    expect([...new EventFiles(log).lines()]).toEqual(['1', '2', '3']);
  });

  test('through rotation, with lines that come late into a file that was renamed', () => {
    writeFileSync(log, 'a\n');
    const files = new EventFiles(log);
    expect([...files.lines()]).toEqual(['a']);
    appendFileSync(log, 'b\n');
    rotate();
    expect([...files.lines()]).toEqual(['b']); // the next writer makes the file anew
    writeFileSync(log, 'c\n');
    appendFileSync(`${log}.1`, 'late\n');
    expect([...files.lines()]).toEqual(['late', 'c']);
    rotate();
    writeFileSync(log, 'd\n');
    rotate();
    writeFileSync(log, 'e\n');
    appendFileSync(`${log}.3`, 'very late\n');
    expect([...files.lines()]).toEqual(['very late', 'd', 'e']);
    files.close();
  });

  test('a file that is rotated away is read to its end first', () => {
    writeFileSync(log, 'a\n');
    const files = new EventFiles(log);
    expect([...files.lines()]).toEqual(['a']);
    appendFileSync(log, 'b\n');
    for (const line of ['c', 'd', 'e', 'f']) {
      rotate();
      writeFileSync(log, `${line}\n`);
    }
    rmSync(`${log}.4`, { force: true });
    expect([...files.lines()]).toEqual(['b', 'c', 'd', 'e', 'f']);
    files.close();
  });
});

describe('writing', () => {
  test('the subject in docker’s terms, with the time', () => {
    const subject = { type: 'container', id: 'c', attributes: { name: 'w"' } } as const;
    const before = BigInt(Date.now()) * 1_000_000n;
    logEvent({ graphRoot: dir }, subject, 'exec_start: a "b"', { execID: 'x' });
    const [line = ''] = [...new EventFiles(log).lines()];
    const { time, ...event } = JSON.parse(line) as Record<string, unknown>;
    expect(event).toEqual({ action: 'exec_start: a "b"', with: { execID: 'x' }, ...subject });
    expect(line.endsWith(`,${subjectText(subject)}}`)).toBe(true);
    expect(time).toMatch(/^\d{19}$/);
    expect(BigInt(time as string)).toBeGreaterThanOrEqual(before);
    expect(statSync(log).mode & 0o777).toBe(0o600);
  });

  test('fails nobody: no folder, a folder in its place, a link, no store', () => {
    const append = (path: string): boolean => addon().appendEvent(Buffer.from(path), Buffer.from('"x":1'));
    expect(append(`${dir}/none/events.log`)).toBe(false);
    mkdirSync(`${dir}/folder`);
    expect(append(`${dir}/folder`)).toBe(false);
    expect(append('/dev/full')).toBe(false);
    logPrune({ graphRoot: dir }, 'image', 0);
    expect(readdirSync(dir)).toEqual(['folder']);
  });

  test('after what a full disk has cut off, a line of its own', () => {
    writeFileSync(log, '\n{"time":"17000');
    logEvent({ graphRoot: dir }, { type: 'volume', id: 'v', attributes: {} }, 'create');
    const lines = [...new EventFiles(log).lines()];
    expect(lines).toHaveLength(2);
    expect(JSON.parse(lines[1] as string)).toMatchObject({ action: 'create', id: 'v' });
  });

  test('by many at once, through rotation: no line is lost, torn or seen twice', async () => {
    const writers = 4;
    const each = 3000;
    const addonFile = fileURLToPath(new URL('../../../build/Release/addon.node', import.meta.url));
    const script = `
      const module = { exports: {} };
      process.dlopen(module, ${JSON.stringify(addonFile)});
      const filler = 'x'.repeat(400);
      for (let i = 0; i < ${each}; i++)
        module.exports.appendEvent(Buffer.from(${JSON.stringify(log)}),
          Buffer.from('"w":' + process.argv[1] + ',"i":' + i + ',"f":"' + filler + '"'));`;
    const files = new EventFiles(log);
    const next = Array.from({ length: writers }, () => 0);
    const wrong: string[] = [];
    const read = (): void => {
      for (const line of files.lines()) {
        const { w, i } = JSON.parse(line) as { w: number; i: number };
        if (next[w] !== i) wrong.push(`writer ${w}: ${i} after ${(next[w] ?? 0) - 1}`);
        next[w] = i + 1;
      }
    };
    const ends = next.map((_, w) => promisify(execFile)(process.execPath, ['-e', script, String(w)]));
    let running = true;
    const ended = Promise.all(ends).finally(() => (running = false));
    while (running) {
      read();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await ended;
    read();
    files.close();
    expect(wrong).toEqual([]);
    expect(next).toEqual(next.map(() => each));
    const names = readdirSync(dir).sort();
    expect(names.length).toBeGreaterThan(2); // it was rotated
    for (const name of names) expect(statSync(`${dir}/${name}`).size).toBeLessThan((2 << 20) + 100_000);
  });
});
