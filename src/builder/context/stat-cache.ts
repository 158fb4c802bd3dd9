// Digests of files that were read before, by what stat(2) said of them then: an unchanged context is not read again. A file
// that changed less than RACY_MS before it was read could change once more within the same tick of its file system's clock
// and look the same, so it is not remembered (git's "racy" rule). Losing the file costs time, nothing else.

import { readFileSync } from 'node:fs';
import { digestFromHex, hexOf, type Digest } from '../../core/digest.ts';
import { errnoOf } from '../../core/errors.ts';
import { writeFileAtomic } from '../../core/fs.ts';

/** FAT's clock ticks every two seconds, and clocks of file servers differ. */
const RACY_MS = 2000;
/** Files that no build has asked for since are forgotten. */
const KEPT_DAYS = 30;
const DAY_MS = 86_400_000;
const HEADER = 'skiff stat cache 1';
const LINE = /^([-.:\d]+) ([0-9a-f]{64}) (\d+)$/;

interface Remembered {
  hex: string;
  day: number;
}

export class StatCache {
  readonly #path: string;
  readonly #now: () => number;
  readonly #known: Map<string, Remembered>;
  #changed = false;

  /** @param path of the file, which need not exist; its folder must by the time of `save` */
  constructor(path: string, now: () => number = Date.now) {
    this.#path = path;
    this.#now = now;
    this.#known = read(path);
  }

  find(stamp: string): Digest | undefined {
    const found = this.#known.get(stamp);
    if (found === undefined) return undefined;
    const today = this.#today();
    if (found.day !== today) {
      found.day = today;
      this.#changed = true;
    }
    return digestFromHex(found.hex);
  }

  /** @param readAtMs when the reading began */
  remember(stamp: string, digest: Digest, readAtMs: number): void {
    if (changeTimeMs(stamp) > readAtMs - RACY_MS) return;
    this.#known.set(stamp, { hex: hexOf(digest), day: this.#today() });
    this.#changed = true;
  }

  /** Writes what is new. @throws system errors, which are no reason to fail a build */
  save(): void {
    if (!this.#changed) return;
    const oldest = this.#today() - KEPT_DAYS;
    const lines = [HEADER];
    for (const [stamp, { hex, day }] of this.#known) if (day >= oldest) lines.push(`${stamp} ${hex} ${day}`);
    writeFileAtomic(this.#path, `${lines.join('\n')}\n`, 0o600);
    this.#changed = false;
  }

  #today(): number {
    return Math.floor(this.#now() / DAY_MS);
  }
}

/** The last part of a stamp, TreeFile.stamp: seconds and nanoseconds of ctime, which nobody can set. */
function changeTimeMs(stamp: string): number {
  const [seconds = '', nanoseconds = '0'] = stamp.slice(stamp.lastIndexOf(':') + 1).split('.');
  return Number(seconds) * 1000 + Number(nanoseconds) / 1e6;
}

function read(path: string): Map<string, Remembered> {
  const known = new Map<string, Remembered>();
  const [header, ...lines] = textOf(path).split('\n');
  if (header !== HEADER) return known;
  for (const line of lines) {
    const [, stamp, hex, day] = LINE.exec(line) ?? [];
    if (stamp !== undefined) known.set(stamp, { hex: hex as string, day: Number(day) });
  }
  return known;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return '';
  }
}
