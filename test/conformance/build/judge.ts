// What came of a build, held against its row.

import { readFileSync } from 'node:fs';
import { describeFiles, type ImageFiles, type ReadImage } from '../../helpers/image-files.ts';
import type { Row } from './row.ts';

export interface Outcome {
  status: number | string;
  stderr: string;
  /** Undefined: the build failed. */
  image: ReadImage | undefined;
}

/** The image that rows are built on. */
export interface Base {
  layers: readonly string[];
  files: ImageFiles;
  history: number;
}

/** All that is not as the row says. */
export function judge(row: Row, { status, stderr, image }: Outcome, base: Base): string[] {
  const wrong: string[] = [];
  const expect = (what: string, seen: unknown, wanted: unknown): void => {
    if (canonical(seen) !== canonical(wanted))
      wrong.push(`${what}:\n  seen   ${canonical(seen)}\n  wanted ${canonical(wanted)}`);
  };
  expect('status', status, row.status ?? (row.fails === undefined ? 0 : 1));
  for (const pattern of [row.fails, row.prints])
    if (pattern !== undefined && !pattern.test(stderr))
      wrong.push(`stderr does not match ${String(pattern)}`);
  if (image === undefined) return wrong.length > 0 ? [...wrong, stderr] : wrong;
  for (const [key, value] of Object.entries(row.config ?? {})) expect(key, image.config[key], value);
  if (row.files !== undefined)
    expect('files', filesOf(image, base), row.files === '' ? [] : linesOf(row.files));
  if (row.history !== undefined) expect('history', ownHistory(image, base), row.history);
  return wrong;
}

/** How the two differ: files, and those parts of the configuration that are to be the same. */
export function differences(ours: Outcome, theirs: Outcome, base: Base): string[] {
  if (ours.image === undefined || theirs.image === undefined)
    return (ours.image === undefined) === (theirs.image === undefined)
      ? []
      : [`status ${ours.status} and ${theirs.status}: ${theirs.stderr}`];
  const found: string[] = [];
  const [a, b] = [ours.image, theirs.image].map((image) =>
    filesOf(image, base).filter((line) => !LEFT_BY_RUN.test(line)),
  ) as [string[], string[]];
  for (const line of a) if (!b.includes(line)) found.push(`ours alone: ${line}`);
  for (const line of b) if (!a.includes(line)) found.push(`theirs alone: ${line}`);
  for (const key of COMPARED) {
    const [one, other] = [ours.image, theirs.image].map(({ config }) =>
      canonical(withoutTool(key, config[key])),
    );
    if (one !== other) found.push(`${key}: ${one} and ${other}`);
  }
  return found;
}

/** Their RUN leaves empty files and directories for its mounts. */
const LEFT_BY_RUN =
  /^[fd] 755 0:0 \/(?:run|proc|sys|dev|etc|etc\/hosts|etc\/hostname|etc\/resolv\.conf|run\/\.containerenv)$/;

const COMPARED = [
  ...['Env', 'Cmd', 'Entrypoint', 'WorkingDir', 'User', 'Labels', 'ExposedPorts', 'Volumes'],
  ...['StopSignal', 'Healthcheck', 'OnBuild', 'Shell'],
];

/** Their own mark in the labels means nothing, and neither does whether what is the default is written out. */
function withoutTool(key: string, value: unknown): unknown {
  if ((key === 'User' && value === '') || (key === 'WorkingDir' && (value === '' || value === '/')))
    return undefined;
  if (key !== 'Labels' || typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).filter(([name]) => name !== 'io.buildah.version'));
}

function filesOf(image: ReadImage, base: Base): string[] {
  const isOnBase = image.layers[0] === base.layers[0];
  return describeFiles(image.files, isOnBase ? base.files : new Map());
}

function ownHistory(image: ReadImage, base: Base): string[] {
  const all = image.history.map(({ created_by }) => created_by ?? '');
  return image.layers[0] === base.layers[0] ? all.slice(base.history) : all;
}

/** Sorted by path, as describeFiles does. */
function linesOf(text: string): string[] {
  const pathOf = (line: string): string => /(\/.*?)(?: (?:=|==|->|\{).*)?$/.exec(line)?.[1] ?? line;
  return text
    .split('\n')
    .filter((line) => line !== '')
    .sort((a, b) => (pathOf(a) < pathOf(b) ? -1 : 1));
}

/** JSON with sorted keys; what is empty is as good as missing. */
function canonical(value: unknown): string {
  if (value === undefined || value === null) return '-';
  if (Array.isArray(value)) return value.length === 0 ? '-' : `[${value.map(canonical).join(',\n   ')}]`;
  if (typeof value !== 'object') return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  if (entries.length === 0) return '-';
  return `{${entries.map(([key, one]) => `${key}:${one !== null && typeof one === 'object' && Object.keys(one as object).length === 0 ? '{}' : canonical(one)}`).join(',')}}`;
}

/** manifest of a name in a store's layout. @throws when it is not there */
export function manifestPath(oci: string, reference: string): string {
  const { manifests } = JSON.parse(readFileSync(`${oci}/index.json`, 'utf8')) as {
    manifests: { digest: string; annotations?: Record<string, string> }[];
  };
  const found = manifests.find(
    ({ annotations }) => annotations?.['org.opencontainers.image.ref.name'] === reference,
  );
  if (found === undefined) throw new Error(`no ${reference} in ${oci}`);
  return blobPath(oci, found.digest);
}

export function blobPath(oci: string, digest: string): string {
  return `${oci}/blobs/${digest.replace(':', '/')}`;
}
