// The differences of two layers, as a person would name them. (pure)

import { createHash, type Hash } from 'node:crypto';
import { showPath, type ByteString, type EntrySink, type TarEntry } from '../../image/layer/entry.ts';
import { TarReader } from '../../image/layer/tar.ts';
import { knownCause } from './known-causes.ts';

/** What of an entry can differ, in the order in which it is told. */
const ASPECTS = ['type', 'content', 'size', 'mode', 'owner', 'time', 'link', 'device', 'attributes'] as const;

type Aspects = Record<(typeof ASPECTS)[number], string>;

/** Names of a layer's tar, in its order, and what is there. */
export type LayerListing = ReadonlyMap<ByteString, Aspects>;

export async function listLayer(chunks: AsyncIterable<Uint8Array>): Promise<LayerListing> {
  const sink = new ListingSink();
  const reader = new TarReader(sink);
  for await (const chunk of chunks) reader.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length));
  reader.end();
  return sink.entries;
}

class ListingSink implements EntrySink {
  readonly entries = new Map<ByteString, Aspects>();
  #open: { entry: TarEntry; hash: Hash } | undefined;

  wholeFile(entry: TarEntry, chunk: Uint8Array, offset: number): void {
    const hash = createHash('sha256').update(chunk.subarray(offset, offset + entry.sizeBytes));
    this.#add(entry, hash.digest('hex'));
  }

  beginFile(entry: TarEntry): void {
    // Where the data stands counts: holes are content too.
    const extents = entry.extents === undefined ? '' : JSON.stringify(entry.extents);
    this.#open = { entry, hash: createHash('sha256').update(extents) };
  }

  data(chunk: Uint8Array, offset: number, length: number): void {
    this.#open?.hash.update(chunk.subarray(offset, offset + length));
  }

  endFile(): void {
    if (this.#open !== undefined) this.#add(this.#open.entry, this.#open.hash.digest('hex'));
    this.#open = undefined;
  }

  other(entry: TarEntry): void {
    this.#add(entry, '');
  }

  #add(entry: TarEntry, content: string): void {
    const xattrs = [...(entry.xattrs ?? [])].map(([name, value]) => `${name}=${value.toString('hex')}`);
    this.entries.set(entry.path, {
      type: entry.type,
      content,
      size: String(entry.sizeBytes),
      mode: entry.mode.toString(8).padStart(4, '0'),
      owner: `${entry.containerUid}:${entry.containerGid}`,
      time: `${entry.mtimeSec}.${String(entry.mtimeNsec).padStart(9, '0')}`,
      link: entry.linkPath,
      device: `${entry.devMajor}:${entry.devMinor}`,
      attributes: xattrs.sort().join(','),
    });
  }
}

/** One line a path, in the order of their names, such as `"app/x": content differs`; empty: the layers are the same. */
export function describeDifferences(first: LayerListing, second: LayerListing): string[] {
  const paths = [...new Set([...first.keys(), ...second.keys()])].sort();
  const lines = paths.flatMap((path) => {
    const how = describePath(first.get(path), second.get(path));
    if (how === undefined) return [];
    const cause = knownCause(path);
    return [`${showPath(path)}${how}${cause === undefined ? '' : ` (${cause})`}`];
  });
  if (lines.length === 0 && [...first.keys()].join('\0') !== [...second.keys()].join('\0'))
    return ['the order of the files differs'];
  return lines;
}

function describePath(a: Aspects | undefined, b: Aspects | undefined): string | undefined {
  if (a === undefined || b === undefined)
    return ` is only in the ${a === undefined ? 'second' : 'first'} build`;
  const aspect = ASPECTS.find((name) => a[name] !== b[name]);
  if (aspect === undefined) return undefined;
  if (aspect === 'content' || aspect === 'attributes')
    return `: ${aspect} ${aspect === 'content' ? 'differs' : 'differ'}${sizes(a, b)}`;
  return `: ${aspect} is ${told(aspect, a)} in the first build and ${told(aspect, b)} in the second`;
}

function sizes(a: Aspects, b: Aspects): string {
  return a.size === b.size ? '' : ` (${a.size} and ${b.size} bytes)`;
}

function told(aspect: keyof Aspects, aspects: Aspects): string {
  return aspect === 'link' ? showPath(aspects.link) : aspects[aspect];
}
