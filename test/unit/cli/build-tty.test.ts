import { afterEach, describe, expect, test } from 'vitest';
import type { BuildEvent } from '../../../src/builder/events.ts';
import { BuildScreen } from '../../../src/cli/build-screen.ts';
import { TtyView } from '../../../src/cli/build-tty.ts';
import { fitText, plainLine, textWidth } from '../../../src/cli/text-width.ts';

const start = (vertex: number, name: string, atMs = 0): BuildEvent => ({
  ...{ type: 'start', vertex, work: 'run', stage: 's', name, atMs },
});
const log = (vertex: number, text: string | Uint8Array): BuildEvent => ({
  ...{ type: 'log', vertex, stream: 1, text: Buffer.from(text), atMs: 0 },
});
const done = (vertex: number, atMs: number): BuildEvent => ({ type: 'done', vertex, atMs });

function screenOf(events: readonly BuildEvent[]): BuildScreen {
  const screen = new BuildScreen(0);
  for (const event of events) screen.onEvent(event);
  return screen;
}

function texts(
  events: readonly BuildEvent[],
  columns = 40,
  rows: number | undefined = 24,
  nowMs = 1234,
): string[] {
  return screenOf(events)
    .lines(nowMs, columns, rows)
    .map(({ text }) => text);
}

describe('the picture', () => {
  test('BuildKit’s look', () => {
    const events: BuildEvent[] = [
      start(1, '[1/3] FROM a'),
      { type: 'cached', vertex: 1, layer: undefined, atMs: 0 },
      start(2, '[2/3] RUN make'),
      log(2, 'one\ntwo\nbeg'),
    ];
    expect(texts(events)).toEqual([
      '[+] Building 1.2s (1/2)',
      ' => CACHED [1/3] FROM a             0.0s',
      ' => [2/3] RUN make                  1.2s',
      ' => => # one',
      ' => => # two',
      ' => => # beg',
    ]);
    expect(
      screenOf([...events, done(2, 2000)])
        .lines(2000, 40, undefined)
        .map(({ text }) => text),
    ).toEqual([
      '[+] Building 2.0s (2/2) FINISHED',
      ' => CACHED [1/3] FROM a             0.0s',
      ' => [2/3] RUN make                  2.0s',
    ]);
  });

  test('the last lines of the output, and of a bar its last state', () => {
    const many = Array.from({ length: 20 }, (_, i) => `${i}\n`).join('');
    expect(texts([start(1, 'RUN'), log(1, many)]).slice(2)).toEqual(
      [14, 15, 16, 17, 18, 19].map((i) => ` => => # ${i}`),
    );
    expect(texts([start(1, 'RUN'), log(1, '10%\r20%\r30%\r')]).slice(2)).toEqual([' => => # 30%']);
  });

  test('a character that comes in two parts', () => {
    const [first, second] = [Buffer.from('ä').subarray(0, 1), Buffer.from('ä\n').subarray(1)];
    expect(texts([start(1, 'RUN'), log(1, first), log(1, second)]).at(-1)).toBe(' => => # ä');
  });

  test('what is finished makes room for what is not', () => {
    const events = Array.from({ length: 30 }, (_, i) => [start(i, `v${i}`), done(i, 0)]).flat();
    const lines = texts([...events, start(40, 'now'), log(40, 'out\n')], 40, 10);
    expect(lines).toHaveLength(10);
    expect(lines[1]).toMatch(/^ => v23 /);
    expect(lines.slice(-2)).toEqual([expect.stringMatching(/^ => now /), ' => => # out']);
  });

  test.each([2, 3, 5, 8, 24])('never more than %d lines, whatever is at work', (rows) => {
    const events = Array.from({ length: 10 }, (_, i) => [start(i, `v${i}`), log(i, 'a\nb\nc\n')]).flat();
    expect(texts(events, 40, rows).length).toBeLessThanOrEqual(rows);
  });

  test.each([1, 5, 10, 37, 200])('never wider than %d columns', (columns) => {
    const events = [start(1, `RUN ${'x字'.repeat(60)}`), log(1, `${'長'.repeat(100)}\n`)];
    for (const text of texts(events, columns)) expect(textWidth(text)).toBeLessThanOrEqual(columns);
  });

  test('output moves no cursor', () => {
    const hostile = '\u001b[2J\u001b]0;title\u0007a\u001b[31mb\u001bcc\u0008\u009b5A\u202e\n';
    expect(texts([start(1, `RUN ${hostile}`), log(1, hostile)]).join('')).not.toMatch(
      /[\u0000-\u001f\u007f-\u009f\u202e]/,
    );
    expect(plainLine(hostile)).toBe('abc5A');
  });
});

test.each([
  ['abc', 3, 'abc'],
  ['abcd', 3, 'ab…'],
  ['長長', 3, '長…'],
  ['長長', 4, '長長'],
  ['e\u0301e\u0301', 2, 'e\u0301e\u0301'],
  ['abc', 0, ''],
  ['😀', 1, '…'],
])('%j in %d columns is %j', (text, columns, fitted) => expect(fitText(text, columns)).toBe(fitted));

/** As much of a terminal as the view asks for. */
class FakeTerminal {
  rows = 24;
  columns = 40;
  hasColour = false;
  lines: string[] = [''];
  cursor = 0;
  column = 0;
  isCursorShown = true;
  raw = '';

  size = () => ({ columns: this.columns, rows: this.rows });

  write = (text: string): void => {
    this.raw += text;
    for (const [, code, letter, character] of text.matchAll(/\u001b\[([?\d]*)([A-Za-z])|([^])/g)) {
      if (letter === 'A') this.cursor -= Number(code);
      else if (letter === 'K')
        this.lines[this.cursor] = (this.lines[this.cursor] ?? '').slice(0, this.column);
      else if (letter === 'J') this.lines.splice(this.cursor + 1, Infinity, ...[]);
      else if (letter === 'h' || letter === 'l') this.isCursorShown = letter === 'h';
      else if (character === '\n') {
        this.cursor++;
        this.column = 0;
        this.lines[this.cursor] ??= '';
      } else if (character === '\r') this.column = 0;
      else if (character !== undefined) {
        const line = this.lines[this.cursor] ?? '';
        this.lines[this.cursor] = line.slice(0, this.column) + character + line.slice(this.column + 1);
        this.column++;
      }
      if (letter === 'J') this.lines[this.cursor] = (this.lines[this.cursor] ?? '').slice(0, this.column);
    }
    if (this.cursor < 0) throw new Error('above the top');
  };
}

describe('drawing', () => {
  let view: TtyView | undefined;
  afterEach(() => view?.close());
  let now = 0;

  function open(terminal: FakeTerminal): TtyView {
    now = 0;
    view = new TtyView(terminal, () => now);
    return view;
  }

  test('over what stood there, and the cursor comes back', () => {
    const terminal = new FakeTerminal();
    const shown = open(terminal);
    shown.onEvent(start(1, 'RUN'));
    shown.onEvent(log(1, 'a\nb\n'));
    shown.draw();
    expect(terminal.isCursorShown).toBe(false);
    expect(terminal.lines).toEqual([
      expect.stringContaining('(0/1)'),
      expect.stringMatching(/RUN/),
      ' => => # a',
      ' => => # b',
      '',
    ]);
    now = 500;
    shown.onEvent(done(1, 500));
    shown.close();
    expect(terminal.lines.map((line) => line.trim())).toEqual([
      '[+] Building 0.5s (1/1) FINISHED',
      expect.stringMatching(/^=> RUN +0\.5s$/),
      '',
    ]);
    expect(terminal.isCursorShown).toBe(true);
    const before = terminal.raw;
    shown.close();
    expect(terminal.raw).toBe(before);
  });

  test('a warning stands above the picture', () => {
    const terminal = new FakeTerminal();
    const shown = open(terminal);
    shown.onEvent(start(1, 'RUN'));
    shown.draw();
    shown.around(() => terminal.write('warning\n'));
    expect(terminal.lines).toEqual([
      'warning',
      expect.stringContaining('(0/1)'),
      expect.stringMatching(/RUN/),
      '',
    ]);
    shown.close();
    shown.around(() => terminal.write('after\n'));
    expect(terminal.lines.at(-2)).toBe('after');
  });

  test('the output of what failed, again; colours only where they are wanted', () => {
    for (const hasColour of [false, true]) {
      const terminal = Object.assign(new FakeTerminal(), { hasColour });
      const shown = open(terminal);
      shown.onEvent(start(1, '[2/2] RUN x'));
      shown.onEvent(log(1, 'oh\nno'));
      shown.onEvent({ type: 'error', vertex: 1, message: 'exit code: 1', canceled: false, atMs: 5 });
      shown.close();
      expect(terminal.raw.includes('\u001b[31m')).toBe(hasColour);
      if (!hasColour)
        expect(terminal.lines.slice(2)).toEqual(['------', ' > [2/2] RUN x:', 'oh', 'no', '------', '']);
    }
  });

  test('a window made narrower', () => {
    const terminal = new FakeTerminal();
    const shown = open(terminal);
    shown.onEvent(start(1, 'RUN'));
    shown.draw();
    terminal.columns = 20;
    terminal.raw = '';
    // The line of 40 columns has become two, and the heading of 23 as well.
    terminal.cursor = 4;
    shown.draw();
    expect(terminal.raw).toMatch(/^\r\u001b\[4A/);
  });
});
