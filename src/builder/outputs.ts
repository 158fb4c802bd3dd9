// --output: what came of a build as something else than an image of the store.

import { mkdirSync } from 'node:fs';
import { encodeBytes } from '../core/bytes.ts';
import { EngineError } from '../core/errors.ts';
import { writeAll } from '../core/fs.ts';
import { openOutputFile } from '../core/output-file.ts';
import { formatPlatform } from '../core/platform.ts';
import { ensureLayerTrees } from '../image/ensure-layers.ts';
import { EntriesBelow } from '../image/layer/below.ts';
import { BLANK_FILE } from '../image/layer/entry.ts';
import { TarReader } from '../image/layer/tar.ts';
import { TarWriter } from '../image/layer/tar-writer.ts';
import { saveImages } from '../image/save.ts';
import type { IdMap } from '../native/plan.ts';
import { startInside } from '../native/inside.ts';
import { chooseIdMap } from '../runtime/idmap.ts';
import { readIdMapInput } from '../runtime/idmap-input.ts';
import type { Platform } from '../oci/image.ts';
import { idOf, type ResolvedImage } from '../store/images.ts';
import { copyInto, selectFromLayers } from './copy/files.ts';
import type { BuildParts } from './parts.ts';
import { WorkDir } from './work.ts';

export type Output =
  /** In the store, which it always is. */
  | { type: 'image' }
  /** Its files, as the caller's own. */
  | { type: 'local'; dest: string }
  /** dest undefined: stdout. */
  | { type: 'tar' | 'oci' | 'docker'; dest: string | undefined };

export interface ParsedOutput {
  output: Output;
  /** Names of `type=image,name=`. */
  tags: string[];
  /** Also to the registries of all names. */
  push: boolean;
}

/** `type=local,dest=DIR` …, or a directory, or `-` for a tar on stdout. @throws USAGE */
export function parseOutput(text: string): ParsedOutput {
  if (!text.includes('='))
    return {
      output: text === '-' ? { type: 'tar', dest: undefined } : { type: 'local', dest: text },
      tags: [],
      push: false,
    };
  const fields = new Map<string, string>();
  for (const part of text.split(',')) {
    const at = part.indexOf('=');
    if (at <= 0) throw usage(text, `invalid field ${JSON.stringify(part)}`);
    fields.set(part.slice(0, at).trim().toLowerCase(), part.slice(at + 1));
  }
  const type = fields.get('type');
  const dest = fields.get('dest') ?? fields.get('destination');
  const known = [
    'type',
    'dest',
    'destination',
    ...(type === 'image' || type === 'registry' ? ['name', 'push'] : []),
  ];
  const unknown = [...fields.keys()].find((key) => !known.includes(key));
  if (unknown !== undefined)
    throw usage(text, `${unknown} is not supported for type ${JSON.stringify(type ?? '')}`);
  switch (type) {
    case 'image':
    case 'registry': {
      const push = parsePush(text, fields.get('push') ?? String(type === 'registry'));
      const tags = (fields.get('name') ?? '').split(',').filter((name) => name !== '');
      return { output: { type: 'image' }, tags, push };
    }
    case 'local':
      if (dest === undefined || dest === '') throw usage(text, 'dest is required for local output');
      return { output: { type, dest }, tags: [], push: false };
    case 'tar':
    case 'oci':
    case 'docker':
      return { output: { type, dest: dest === '-' ? undefined : dest }, tags: [], push: false };
    default:
      throw usage(text, 'type must be one of image, registry, local, tar, oci, docker');
  }
}

function parsePush(text: string, value: string): boolean {
  if (value === 'true' || value === '1') return true;
  if (value === 'false' || value === '0') return false;
  throw usage(text, `push=${value}: must be true or false`);
}

/** Whether the image has to be in the store to be written there. */
export function needsImage({ type }: Output): boolean {
  return type === 'image' || type === 'oci' || type === 'docker';
}

export interface OutputParts extends BuildParts {
  /** Puts all of a chunk on stdout. */
  stdoutBytes: (bytes: Uint8Array) => void;
}

/** @throws USAGE, NO_SPACE, IO */
export async function writeOutput(
  parts: OutputParts,
  output: Output,
  image: ResolvedImage,
  { parts: images, names }: { parts: readonly BuiltPlatform[]; names: readonly string[] },
): Promise<void> {
  if (output.type === 'image') return;
  const { idMap } = chooseIdMap(readIdMapInput(parts, undefined));
  if (output.type === 'local') {
    for (const { image: one, folder } of images)
      await exportLocal(parts, one, idMap, folder === undefined ? output.dest : `${output.dest}/${folder}`);
    return;
  }
  const file = output.dest === undefined ? undefined : openOutputFile(output.dest);
  const write = (chunk: Uint8Array): void =>
    file === undefined ? parts.stdoutBytes(chunk) : writeAll(file.fd, chunk);
  try {
    if (output.type === 'tar') await exportTars(parts, images, idMap, write);
    else {
      const format = output.type === 'oci' ? 'oci-archive' : 'docker-archive';
      await saveImages(parts, names.length > 0 ? names : [idOf(image)], format, write);
    }
    file?.commit();
  } finally {
    file?.discard();
  }
}

/** The image of one platform; folder: where its files go, as BuildKit names it, of several. */
export interface BuiltPlatform {
  image: ResolvedImage;
  folder: string | undefined;
}

/** linux_arm64, linux_arm_v7. (pure) */
export function folderOf(platform: Platform): string {
  return formatPlatform(platform).replaceAll('/', '_');
}

async function exportLocal(
  parts: BuildParts,
  image: ResolvedImage,
  idMap: IdMap | undefined,
  dest: string,
): Promise<void> {
  const dir = dest.startsWith('/') ? dest : `${process.cwd()}/${dest}`;
  mkdirSync(encodeBytes(dir), { recursive: true });
  await withTrees(parts, image, idMap, async (trees, work) => {
    const copying = { idMap, signal: parts.signal };
    const request = {
      sources: ['/'],
      parents: false,
      exclude: [],
      owner: { uid: 0, gid: 0 },
      chmod: undefined,
    };
    const doing = `writing ${JSON.stringify(dest)}`;
    const { sources } = await selectFromLayers(copying, trees, request, doing);
    const { notes } = await copyInto(
      copying,
      { rootfs: { kind: 'bind', path: dir, noDev: false }, containerDir: work.folder('root'), setup: [] },
      {
        ...{ source: { kind: 'layers', trees }, destination: '/', owner: { uid: 0, gid: 0 } },
        ...{ chmod: undefined, unpack: false, timeSec: undefined },
      },
      { sources, inline: [] },
      doing,
    );
    for (const note of notes) parts.log.warn(`${doing}: ${note}`);
  });
}

/** One tar; of several platforms with a folder for each. */
async function exportTars(
  parts: BuildParts,
  images: readonly BuiltPlatform[],
  idMap: IdMap | undefined,
  write: (chunk: Uint8Array) => void,
): Promise<void> {
  const writer = new TarWriter(write);
  for (const { image, folder } of images) {
    if (folder === undefined) {
      await exportTar(parts, image, idMap, write);
      return;
    }
    writer.entry({ ...BLANK_FILE, type: 'dir', path: folder, mode: 0o755 });
    const reader = new TarReader(new EntriesBelow(folder, writer));
    await exportTar(parts, image, idMap, (chunk) =>
      reader.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)),
    );
    reader.end();
  }
  writer.end();
}

async function exportTar(
  parts: BuildParts,
  image: ResolvedImage,
  idMap: IdMap | undefined,
  write: (chunk: Uint8Array) => void,
): Promise<void> {
  await withTrees(parts, image, idMap, async (trees, work) => {
    const containerDir = work.folder('root');
    const source = { upper: `${containerDir}/root`, lowerTrees: [], mountPoints: [], volumes: [] };
    // overlayfs wants two lower directories where there is no upper one.
    const lower = [work.folder('empty'), ...[...trees].reverse()];
    const child = startInside({
      ...{ doing: 'writing a tar', command: '__layer', request: { kind: 'diff', source }, idMap },
      root: {
        rootfs: { kind: 'overlay', lower, upper: '', work: '', noDev: false },
        containerDir,
        setup: [],
      },
    });
    try {
      for await (const chunk of child.stdout as AsyncIterable<Buffer>) write(chunk);
      await child.reply;
    } finally {
      child.kill();
    }
  });
}

async function withTrees(
  parts: BuildParts,
  image: ResolvedImage,
  idMap: IdMap | undefined,
  action: (trees: string[], work: WorkDir) => Promise<void>,
): Promise<void> {
  const work = await WorkDir.open(parts.paths, idMap);
  try {
    const trees = await ensureLayerTrees(parts, image, idMap);
    await action(trees.length === 0 ? [work.folder('empty')] : trees, work);
  } finally {
    await work.remove(idMap);
  }
}

function usage(text: string, cause: string): EngineError {
  return new EngineError('USAGE', `--output ${JSON.stringify(text)}: ${cause}`);
}
