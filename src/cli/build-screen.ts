// A build as a terminal shows it while it goes on: BuildKit's look. Events → state → lines; who draws them is build-tty.ts.
// (pure)

import { StringDecoder } from 'node:string_decoder';
import type { BuildEvent } from '../builder/events.ts';
import type { ImageEvent } from '../image/events.ts';
import { humanSize } from './human.ts';
import { fitText, plainLine, textWidth } from './text-width.ts';

/** Of the output of a step at work. */
const SHOWN_LINES = 6;
/** Of the output of a step that failed, at the end. */
const KEPT_LINES = 100;
/** A line without an end is cut: some print megabytes. */
const MAX_LINE = 4096;

export type Tone = 'plain' | 'done' | 'failed' | 'canceled';

export interface ScreenLine {
  tone: Tone;
  text: string;
}

interface Shown {
  name: string;
  startMs: number;
  endMs: number | undefined;
  state: 'running' | 'done' | 'cached' | 'failed' | 'canceled';
  /** Complete lines of its output, the last ones. */
  lines: string[];
  /** Begun lines of its stdout and stderr. */
  begun: Map<1 | 2, { decoder: StringDecoder; text: string }>;
  status: string;
  layers: Map<string, Extract<ImageEvent, { type: 'layer' }>>;
}

export class BuildScreen {
  readonly #startMs: number;
  readonly #vertices = new Map<number, Shown>();

  constructor(startMs: number) {
    this.#startMs = startMs;
  }

  onEvent(event: BuildEvent): void {
    if (event.type === 'start') {
      this.#vertices.set(event.vertex, {
        ...{ name: plainLine(event.name), startMs: event.atMs, endMs: undefined, state: 'running' },
        ...{ lines: [], begun: new Map(), status: '', layers: new Map() },
      });
      return;
    }
    const vertex = this.#vertices.get(event.vertex);
    if (vertex === undefined) return;
    switch (event.type) {
      case 'log':
        addOutput(vertex, event.stream, event.text);
        return;
      case 'status':
        vertex.status = plainLine(event.text);
        return;
      case 'image':
        if (event.event.type === 'layer') vertex.layers.set(event.event.digest, event.event);
        return;
      case 'cached':
        if (event.from !== undefined) vertex.name += ` (from ${plainLine(event.from)})`;
        end(vertex, 'cached', event.atMs);
        return;
      case 'done':
        end(vertex, 'done', event.atMs);
        return;
      case 'error':
        end(vertex, event.canceled ? 'canceled' : 'failed', event.atMs);
        return;
      case 'miss':
      case 'stored':
    }
  }

  /**
   * What fits into the window; finished vertices make room first, then output.
   * @param rows undefined: all there is, at the end
   */
  lines(nowMs: number, columns: number, rows: number | undefined): ScreenLine[] {
    const shown = [...this.#vertices.values()];
    const isOver = rows === undefined;
    const ended = shown.filter(({ endMs }) => endMs !== undefined).length;
    const heading = `[+] Building ${seconds(nowMs - this.#startMs)}s (${ended}/${shown.length})${isOver ? ' FINISHED' : ''}`;
    const room = isOver ? Infinity : Math.max(1, rows - 1);
    const running = shown.filter(({ state }) => state === 'running');
    // Every vertex at work has a line before one of them has output.
    const forOutput = Math.max(0, room - running.length);
    const each = running.length === 0 ? 0 : Math.min(SHOWN_LINES, Math.floor(forOutput / running.length));
    const blocks = shown.map((vertex) => ({
      vertex,
      lines: [headOf(vertex, nowMs, columns), ...detailsOf(vertex, columns, each)],
    }));
    let over = blocks.reduce((sum, { lines }) => sum + lines.length, 0) - room;
    const kept = blocks.filter(({ vertex, lines }) => {
      if (over <= 0 || vertex.state === 'running') return true;
      over -= lines.length;
      return false;
    });
    const body = kept.flatMap(({ lines }) => lines);
    return [
      { tone: 'plain', text: fitText(heading, columns) },
      ...(isOver ? body : body.slice(Math.max(0, body.length - room))),
    ];
  }

  /** Name and last output of the step that failed. */
  failed(): { name: string; lines: readonly string[] } | undefined {
    const vertex = [...this.#vertices.values()].find(({ state }) => state === 'failed');
    return vertex === undefined ? undefined : { name: vertex.name, lines: vertex.lines };
  }

  /** Of a step that has no more of it to come. */
  outputOf(number: number): { name: string; lines: readonly string[] } | undefined {
    const vertex = this.#vertices.get(number);
    if (vertex === undefined) return undefined;
    endOutput(vertex);
    return { name: vertex.name, lines: vertex.lines };
  }
}

function addOutput(vertex: Shown, stream: 1 | 2, bytes: Uint8Array): void {
  const begun = vertex.begun.get(stream) ?? { decoder: new StringDecoder('utf8'), text: '' };
  vertex.begun.set(stream, begun);
  const lines = (begun.text + begun.decoder.write(bytes)).split('\n');
  begun.text = (lines.pop() as string).slice(-MAX_LINE);
  for (const line of lines) addLine(vertex, line);
}

/** Of a progress bar that goes back to the start of its line, the last state. */
function addLine(vertex: Shown, line: string): void {
  vertex.lines.push(plainLine(line.slice(-MAX_LINE).replace(/\r$/, '').replace(/^.*\r/s, '')));
  if (vertex.lines.length > KEPT_LINES) vertex.lines.shift();
}

function endOutput(vertex: Shown): void {
  for (const { text } of vertex.begun.values()) if (text !== '') addLine(vertex, text);
  vertex.begun.clear();
}

function end(vertex: Shown, state: Shown['state'], atMs: number): void {
  endOutput(vertex);
  vertex.state = state;
  vertex.endMs = atMs;
}

function headOf(vertex: Shown, nowMs: number, columns: number): ScreenLine {
  const { name, state, startMs, endMs } = vertex;
  const word = { running: '', done: '', cached: 'CACHED ', failed: 'ERROR ', canceled: 'CANCELED ' }[state];
  const time = `${seconds((endMs ?? nowMs) - startMs)}s`;
  const left = fitText(` => ${word}${name}`, columns - time.length - 1);
  const gap = ' '.repeat(Math.max(1, columns - textWidth(left) - time.length));
  const tone = state === 'running' ? 'plain' : state === 'cached' ? 'done' : state;
  return { tone, text: fitText(`${left}${gap}${time}`, columns) };
}

function detailsOf(vertex: Shown, columns: number, count: number): ScreenLine[] {
  if (vertex.state !== 'running' || count <= 0) return [];
  const begun = [...vertex.begun.values()].map(({ text }) => plainLine(text.replace(/^.*\r(?!$)/s, '')));
  const output = [...vertex.lines.slice(-count), ...begun.filter((text) => text !== '')].map(
    (text) => ` => => # ${text}`,
  );
  const pulls = [...vertex.layers.values()]
    .filter(({ state }) => state !== 'present' && state !== 'done')
    .map(
      ({ digest, state, doneBytes, totalBytes }) =>
        ` => => ${state} ${digest.slice(0, 19)} ${humanSize(doneBytes)} / ${humanSize(totalBytes)}`,
    );
  const status = vertex.status === '' ? [] : [` => => ${vertex.status}`];
  return [...status, ...pulls, ...output]
    .slice(-count)
    .map((text) => ({ tone: 'plain', text: fitText(text, columns) }));
}

function seconds(ms: number): string {
  return (Math.max(0, ms) / 1000).toFixed(1);
}
