// How a build shows what it does, on stderr: a picture that moves on a terminal, BuildKit's plain form, its JSON, or nothing.

import type { BuildEvent } from '../builder/events.ts';
import type { BuildProgressView } from './build-progress-view.ts';
import type { Io } from './context.ts';
import { humanSize } from './human.ts';

export const PROGRESS_MODES = ['auto', 'plain', 'tty', 'quiet', 'rawjson'] as const;
export type ProgressMode = (typeof PROGRESS_MODES)[number];

type ProgressIo = Pick<Io, 'stderr' | 'stderrIsTerminal'>;
type Env = Readonly<Record<string, string | undefined>>;

/** auto, tty: the picture, if stderr is a terminal that can show one. NO_COLOR takes its colours and nothing else. */
export async function openBuildProgress(
  io: ProgressIo,
  mode: ProgressMode,
  env: Env,
): Promise<BuildProgressView> {
  switch (mode) {
    case 'quiet':
      return new WaitingView({ onEvent: () => undefined, close: () => undefined });
    case 'rawjson':
      return new WaitingView(rawJson(io));
    case 'plain':
      return new WaitingView(new PlainView(io));
    case 'auto':
    case 'tty': {
      const dumb = env['TERM'] === undefined || env['TERM'] === '' || env['TERM'] === 'dumb';
      if (dumb || !io.stderrIsTerminal) return new WaitingView(new PlainView(io));
      const { TtyView } = await import('./build-tty.ts');
      const { openTerminal } = await import('./terminal.ts');
      return new TtyView(openTerminal(env));
    }
  }
}

/** Prints line after line. */
type Printer = Pick<BuildProgressView, 'onEvent' | 'close'>;

class WaitingView implements BuildProgressView {
  readonly #printer: Printer;
  #waiting: (() => void)[] | undefined;

  constructor(printer: Printer) {
    this.#printer = printer;
  }

  onEvent(event: BuildEvent): void {
    this.around(() => this.#printer.onEvent(event));
  }

  around(print: () => void): void {
    if (this.#waiting === undefined) print();
    else this.#waiting.push(print);
  }

  stepAside(): () => void {
    this.#waiting = [];
    return () => {
      const waiting = this.#waiting ?? [];
      this.#waiting = undefined;
      waiting.forEach((print) => print());
    };
  }

  close(note?: string): void {
    this.#printer.close(note);
  }
}

/** Lines of a failed step that are shown again. */
const KEPT_LINES = 100;

interface ShownVertex {
  name: string;
  startedMs: number;
  /** Begun lines of its stdout and stderr. */
  begun: Map<1 | 2, Buffer>;
  /** The last lines, for the end. */
  lines: string[];
  failed: boolean;
}

class PlainView implements Printer {
  readonly #io: Pick<Io, 'stderr'>;
  readonly #vertices = new Map<number, ShownVertex>();
  #current: number | undefined;

  constructor(io: Pick<Io, 'stderr'>) {
    this.#io = io;
  }

  onEvent(event: BuildEvent): void {
    if (event.type === 'start') {
      const { vertex, name, atMs } = event;
      this.#vertices.set(vertex, { name, startedMs: atMs, begun: new Map(), lines: [], failed: false });
      this.#say(vertex, name);
      return;
    }
    const shown = this.#vertices.get(event.vertex);
    if (shown === undefined) return;
    switch (event.type) {
      case 'log':
        this.#log(event, shown);
        return;
      case 'status':
        this.#say(event.vertex, event.text);
        return;
      case 'image':
        this.#image(event);
        return;
      case 'cached':
        this.#say(event.vertex, event.from === undefined ? 'CACHED' : `CACHED from ${event.from}`);
        return;
      case 'miss':
        this.#say(event.vertex, `not cached: ${event.reason}`);
        return;
      case 'done':
        this.#flush(event.vertex, shown, event.atMs);
        this.#say(event.vertex, `DONE ${seconds(event.atMs - shown.startedMs, 1)}s`);
        return;
      case 'stored':
        return;
      case 'error':
        this.#flush(event.vertex, shown, event.atMs);
        shown.failed = !event.canceled;
        this.#say(event.vertex, event.canceled ? 'CANCELED' : `ERROR: ${event.message}`);
    }
  }

  close(note?: string): void {
    if (note !== undefined) this.#io.stderr(note);
    const failed = [...this.#vertices.values()].find((vertex) => vertex.failed);
    if (failed === undefined) return;
    const rule = '------';
    this.#io.stderr([rule, ` > ${failed.name}:`, ...failed.lines, rule].join('\n'));
  }

  #log({ vertex, stream, text, atMs }: Extract<BuildEvent, { type: 'log' }>, shown: ShownVertex): void {
    let rest = Buffer.concat([shown.begun.get(stream) ?? Buffer.alloc(0), text]);
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      this.#line(vertex, shown, rest.subarray(0, end), atMs);
      rest = rest.subarray(end + 1);
    }
    shown.begun.set(stream, rest);
  }

  /** A line without its end is a line too, once nothing can follow. */
  #flush(vertex: number, shown: ShownVertex, atMs: number): void {
    for (const rest of shown.begun.values()) if (rest.length > 0) this.#line(vertex, shown, rest, atMs);
    shown.begun.clear();
  }

  #line(vertex: number, shown: ShownVertex, bytes: Buffer, atMs: number): void {
    // Of a progress bar that goes back to the start of its line, the last state.
    const text = bytes.toString().replace(/\r$/, '').replace(/^.*\r/s, '');
    const line = `${seconds(atMs - shown.startedMs, 3)} ${text}`;
    shown.lines.push(line);
    if (shown.lines.length > KEPT_LINES) shown.lines.shift();
    this.#say(vertex, line);
  }

  #image({ vertex, event }: Extract<BuildEvent, { type: 'image' }>): void {
    if (event.type !== 'layer' || event.state !== 'done') return;
    this.#say(vertex, `${event.digest} ${humanSize(event.totalBytes)} done`);
  }

  #say(vertex: number, text: string): void {
    if (this.#current !== undefined && this.#current !== vertex) this.#io.stderr('');
    this.#current = vertex;
    this.#io.stderr(`#${vertex} ${text}`);
  }
}

function seconds(ms: number, digits: number): string {
  return (Math.max(0, ms) / 1000).toFixed(digits);
}

/** BuildKit's SolveStatus, one object a line. */
function rawJson(io: Pick<Io, 'stderr'>): Printer {
  const vertices = new Map<number, { digest: string; name: string; started: string }>();
  const time = (ms: number): string => new Date(ms).toISOString();
  const print = (status: object): void => io.stderr(JSON.stringify(status));
  return {
    onEvent(event) {
      if (event.type === 'start') {
        const { vertex, name, atMs } = event;
        const entry = { digest: `vertex:${vertex}`, name, started: time(atMs) };
        vertices.set(vertex, entry);
        print({ vertexes: [entry] });
        return;
      }
      const entry = vertices.get(event.vertex);
      if (entry === undefined) return;
      const { digest } = entry;
      const timestamp = time(event.atMs);
      switch (event.type) {
        case 'log':
          print({
            logs: [
              {
                vertex: digest,
                stream: event.stream,
                data: Buffer.from(event.text).toString('base64'),
                timestamp,
              },
            ],
          });
          return;
        case 'status':
          print({ statuses: [{ id: event.text, vertex: digest, timestamp }] });
          return;
        case 'miss':
          print({ statuses: [{ id: `not cached: ${event.reason}`, vertex: digest, timestamp }] });
          return;
        case 'cached':
          print({ vertexes: [{ ...entry, completed: timestamp, cached: true }] });
          return;
        case 'done':
          print({ vertexes: [{ ...entry, completed: timestamp }] });
          return;
        case 'error':
          print({ vertexes: [{ ...entry, completed: timestamp, error: event.message }] });
          return;
        case 'stored':
          return;
        case 'image':
          if (event.event.type === 'layer')
            print({
              statuses: [
                {
                  ...{ id: event.event.digest, vertex: digest, name: event.event.state, timestamp },
                  ...{ current: event.event.doneBytes, total: event.event.totalBytes },
                },
              ],
            });
      }
    },
    close: () => undefined,
  };
}
