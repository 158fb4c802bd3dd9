// Draws a build that goes on: the lines of build-screen.ts, over those of a moment ago. Each line is overwritten and its rest
// cleared, all by one write, so nothing flickers.

import type { BuildEvent } from '../builder/events.ts';
import { BuildScreen, type ScreenLine, type Tone } from './build-screen.ts';
import type { BuildProgressView } from './build-progress-view.ts';
import type { Terminal } from './terminal.ts';
import { textWidth } from './text-width.ts';

const REDRAW_MS = 100;
const ESC = '\u001b[';
const HIDE_CURSOR = `${ESC}?25l`;
const SHOW_CURSOR = `${ESC}?25h`;

const COLOURS: Readonly<Record<Tone, string>> = { plain: '', done: '34', failed: '31', canceled: '33' };

export class TtyView implements BuildProgressView {
  readonly #terminal: Terminal;
  readonly #screen: BuildScreen;
  readonly #now: () => number;
  #timer: NodeJS.Timeout;
  /** Widths of the lines that stand above the cursor. */
  #drawn: number[] = [];
  #isOpen = true;
  /** What is to be printed when the terminal is ours again. */
  #waiting: (() => void)[] | undefined;

  constructor(terminal: Terminal, now: () => number = Date.now) {
    this.#terminal = terminal;
    this.#now = now;
    this.#screen = new BuildScreen(now());
    this.#timer = this.#begin();
  }

  #begin(): NodeJS.Timeout {
    this.#terminal.write(HIDE_CURSOR);
    return setInterval(() => this.draw(), REDRAW_MS);
  }

  onEvent(event: BuildEvent): void {
    this.#screen.onEvent(event);
  }

  /** Something else is printed: above the picture, which comes again below it. */
  around(print: () => void): void {
    if (this.#waiting !== undefined) {
      this.#waiting.push(print);
      return;
    }
    if (!this.#isOpen) {
      print();
      return;
    }
    this.#clear();
    print();
    this.draw();
  }

  stepAside(vertex: number): () => void {
    clearInterval(this.#timer);
    this.#clear();
    this.#terminal.write(`${SHOW_CURSOR}${outputAgain(this.#screen.outputOf(vertex))}`);
    const waiting: (() => void)[] = [];
    this.#waiting = waiting;
    return () => {
      this.#waiting = undefined;
      waiting.forEach((print) => print());
      this.#timer = this.#begin();
    };
  }

  #clear(): void {
    this.#terminal.write(`${this.#back()}${ESC}J`);
    this.#drawn = [];
  }

  draw(): void {
    const { columns, rows } = this.#terminal.size();
    // The cursor stands on a line of its own.
    this.#paint(this.#screen.lines(this.#now(), columns, Math.max(2, rows - 1)));
  }

  close(note?: string): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    clearInterval(this.#timer);
    this.#paint(this.#screen.lines(this.#now(), this.#terminal.size().columns, undefined));
    const noted = note === undefined ? '' : `${note}\n`;
    this.#terminal.write(`${SHOW_CURSOR}${noted}${outputAgain(this.#screen.failed())}`);
  }

  #paint(lines: readonly ScreenLine[]): void {
    const text = lines.map((line) => `${this.#coloured(line)}${ESC}K\n`).join('');
    this.#terminal.write(`${this.#back()}${text}${ESC}J`);
    this.#drawn = lines.map((line) => textWidth(line.text));
  }

  /** To the first line that is drawn; a window made narrower has broken those that were longer. */
  #back(): string {
    const { columns } = this.#terminal.size();
    const up = this.#drawn.reduce((sum, width) => sum + Math.max(1, Math.ceil(width / columns)), 0);
    return up === 0 ? '\r' : `\r${ESC}${up}A`;
  }

  #coloured({ tone, text }: ScreenLine): string {
    const colour = COLOURS[tone];
    return colour === '' || !this.#terminal.hasColour ? text : `${ESC}${colour}m${text}${ESC}0m`;
  }
}

function outputAgain(step: { name: string; lines: readonly string[] } | undefined): string {
  if (step === undefined) return '';
  return ['------', ` > ${step.name}:`, ...step.lines, '------'].map((line) => `${line}\n`).join('');
}
