// Image events → stderr. On a terminal a bar for each layer (cli-progress); elsewhere one line a phase, and a line every
// ten seconds while a phase lasts, so that a CI log shows life without growing by the megabyte.

import type { MultiBar, SingleBar } from 'cli-progress';
import type { ImageEvent, OnImageEvent } from '../image/events.ts';
import type { Io } from './context.ts';
import { humanSize } from './human.ts';

export interface ProgressView {
  onEvent: OnImageEvent;
  /** Takes the bars down; call it before anything else is printed, also after an error. */
  close(): void;
}

export interface ProgressOptions {
  io: Pick<Io, 'stderr' | 'stderrIsTerminal'>;
  quiet?: boolean;
  heartbeatMs?: number;
}

/** quiet: shows nothing. */
export async function openProgress({
  io,
  quiet = false,
  heartbeatMs = 10_000,
}: ProgressOptions): Promise<ProgressView> {
  if (quiet) return { onEvent: () => undefined, close: () => undefined };
  if (!io.stderrIsTerminal || process.env['TERM'] === 'dumb') return new Lines(io, heartbeatMs);
  const { default: bars } = await import('cli-progress');
  const style = {
    format: '{id}  {state} [{bar}] {done}/{size}',
    stream: process.stderr,
    barsize: 30,
    clearOnComplete: false,
    hideCursor: false,
    forceRedraw: true,
  };
  return new Bars(io, new bars.MultiBar(style, bars.Presets.rect));
}

type Layer = Extract<ImageEvent, { type: 'layer' }>;

/** What both views say at the turns of a pull. */
function headline(event: ImageEvent): string | undefined {
  switch (event.type) {
    case 'begin':
      return `${event.reference}: resolving`;
    case 'resolved': {
      const { os, architecture, variant } = event.platform;
      const total = event.layers.reduce((sum, layer) => sum + layer.sizeBytes, 0);
      const name = [os, architecture, ...(variant === undefined ? [] : [variant])].join('/');
      return `${event.reference}: ${plural(event.layers.length, 'layer')}, ${humanSize(total)}, ${name}, ${event.digest}`;
    }
    case 'publishing':
      return `${event.reference}: writing to the store`;
    case 'end':
      return `${event.reference}: ${event.changed ? 'stored as' : 'is up to date,'} ${event.imageId}`;
    case 'layer':
      return undefined;
  }
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

class Lines implements ProgressView {
  readonly #io: ProgressOptions['io'];
  readonly #layers = new Map<string, Layer>();
  readonly #timer: NodeJS.Timeout;
  #phase = '';

  constructor(io: ProgressOptions['io'], heartbeatMs: number) {
    this.#io = io;
    this.#timer = setInterval(() => {
      const line = this.#summary();
      if (line !== undefined) io.stderr(line);
    }, heartbeatMs);
    this.#timer.unref();
  }

  onEvent = (event: ImageEvent): void => {
    const line = headline(event);
    if (line !== undefined) this.#io.stderr(line);
    if (event.type === 'begin') this.#layers.clear();
    if (event.type !== 'layer') return;
    this.#layers.set(event.digest, event);
    const phase = phaseOf(this.#layers);
    if (phase === this.#phase || phase === '') return;
    this.#phase = phase;
    this.#io.stderr(this.#summary() ?? phase);
  };

  close(): void {
    clearInterval(this.#timer);
  }

  /** "downloading 3 layers: 12MB of 40MB" */
  #summary(): string | undefined {
    const active = [...this.#layers.values()].filter((layer) => layer.state !== 'present');
    if (active.length === 0 || this.#phase === '') return undefined;
    const done = active.reduce((sum, layer) => sum + layer.doneBytes, 0);
    const total = active.reduce((sum, layer) => sum + layer.totalBytes, 0);
    return `${this.#phase} ${plural(active.length, 'layer')}: ${humanSize(done)} of ${humanSize(total)}`;
  }
}

/** The earliest stage that a layer is in: the pull as a whole is no further than that. */
function phaseOf(layers: ReadonlyMap<string, Layer>): string {
  const states = new Set([...layers.values()].map((layer) => layer.state));
  if (states.has('downloading')) return 'downloading';
  if (states.has('waiting')) return 'waiting for another process that downloads';
  return states.has('unpacking') && !states.has('queued') ? 'unpacking' : '';
}

class Bars implements ProgressView {
  readonly #io: ProgressOptions['io'];
  readonly #view: MultiBar;
  readonly #bars = new Map<string, SingleBar>();

  constructor(io: ProgressOptions['io'], view: MultiBar) {
    this.#io = io;
    this.#view = view;
  }

  onEvent = (event: ImageEvent): void => {
    const line = headline(event);
    if (line !== undefined) {
      if (this.#bars.size === 0) this.#io.stderr(line);
      else if (event.type === 'end') {
        this.close();
        this.#io.stderr(line);
      }
    }
    if (event.type === 'layer' && event.state !== 'present') this.#draw(event);
  };

  #draw({ digest, state, doneBytes, totalBytes }: Layer): void {
    const values = {
      id: digest.slice('sha256:'.length, 19),
      state: state.padEnd(11),
      done: humanSize(doneBytes),
      size: humanSize(totalBytes),
    };
    const bar = this.#bars.get(digest);
    // A bar of length 0 would divide by it.
    const length = Math.max(totalBytes, 1);
    if (bar === undefined) {
      this.#bars.set(digest, this.#view.create(length, doneBytes, values));
      return;
    }
    bar.setTotal(length);
    bar.update(totalBytes === 0 && state === 'done' ? 1 : doneBytes, values);
  }

  close(): void {
    if (this.#bars.size > 0) this.#view.stop();
    this.#bars.clear();
  }
}
