// What could not be done as the layer says, counted: one line each for the user, however many files it is about.

import { showPath, type ByteString } from './entry.ts';

type Kind = 'owner' | 'owner-xattr' | 'device' | 'xattr';

const TEXT: Readonly<Record<Kind, (count: number, first: string) => string>> = {
  owner: (n, first) =>
    `${n} ${files(n)} of a layer belong to ids that are not mapped here, and to root instead (${first})`,
  'owner-xattr': (n, first) =>
    `${n} ${files(n)} of a layer lost the record of their owner: no user xattrs here (${first})`,
  device: (n, first) =>
    `${n} device ${n === 1 ? 'node' : 'nodes'} of a layer became empty files: only root makes them (${first})`,
  xattr: (n, first) =>
    `${n} extended ${n === 1 ? 'attribute' : 'attributes'} of a layer could not be set (${first})`,
};

export class Notes {
  readonly #counts = new Map<Kind, { count: number; first: ByteString }>();

  add(kind: Kind, path: ByteString): void {
    const seen = this.#counts.get(kind);
    if (seen === undefined) this.#counts.set(kind, { count: 1, first: path });
    else seen.count++;
  }

  /** One sentence a kind, for Log.warn. */
  lines(): string[] {
    return [...this.#counts].map(([kind, { count, first }]) => TEXT[kind](count, showPath(first)));
  }
}

function files(count: number): string {
  return count === 1 ? 'file' : 'files';
}
