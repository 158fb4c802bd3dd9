// --cache-from, --cache-to, --cache: where a build's cache comes from and goes to, in BuildKit's words, and podman's. (pure)

import { encodeBytes } from '../../core/bytes.ts';
import { EngineError } from '../../core/errors.ts';
import {
  formatFamiliar,
  formatReference,
  parseReference,
  withDefaultTag,
  type ImageReference,
} from '../../core/reference.ts';
import {
  chooseCompression,
  COMPRESSIONS,
  type CompressionChoice,
  type LayerCompression,
} from '../../image/compress.ts';

export type CacheLocation =
  | { kind: 'registry'; ref: ImageReference }
  /** An OCI image layout; absolute host path. */
  | { kind: 'directory'; path: string };

export interface CacheSource {
  location: CacheLocation;
  /** As messages name it. */
  name: string;
  /** Whether directories of RUN --mount=type=cache are taken from it. */
  mounts: boolean;
  /** False: there may be nothing yet (--cache). */
  isExpected: boolean;
}

export interface CacheDestination {
  location: CacheLocation;
  name: string;
  /** Of all stages, not of the result's alone. */
  allStages: boolean;
  mounts: boolean;
  compression: CompressionChoice;
  ignoreError: boolean;
}

export interface CacheChoice {
  from: readonly CacheSource[];
  to: readonly CacheDestination[];
  /** --cache-to type=inline: in the manifest of the image. */
  inline: boolean;
}

export interface CacheFlags {
  cache: readonly string[];
  'cache-from': readonly string[];
  'cache-to': readonly string[];
}

/** cwd: what relative directories are below. @throws USAGE, REFERENCE_INVALID */
export function parseCacheFlags(flags: CacheFlags, cwd: string): CacheChoice {
  const both = flags.cache.map((text) => locationOf(text, cwd));
  const destinations = flags['cache-to'].map((text) => parseDestination(text, cwd));
  return {
    from: [
      ...flags['cache-from'].map((text) => parseSource(text, cwd)),
      ...both.map((location) => ({ location, name: nameOf(location), mounts: true, isExpected: false })),
    ],
    to: [
      ...destinations.filter((one) => one !== 'inline'),
      ...both.map((location) => ({
        ...{ location: tagged('--cache', location), name: nameOf(location) },
        ...{ allStages: true, mounts: true, ignoreError: false },
        compression: chooseCompression('gzip', undefined),
      })),
    ],
    inline: destinations.includes('inline'),
  };
}

/** --cache: a path says that it is one. */
function locationOf(text: string, cwd: string): CacheLocation {
  if (/^\.{0,2}\//.test(text) || text === '.' || text === '..') return directory(text, cwd);
  if (/(?:^|,)type=/.test(text))
    throw usage('--cache', text, 'expected a reference or a path, which begins with / or ./', {
      hint: 'type=… is written with --cache-from and --cache-to',
    });
  return registry(text);
}

function parseSource(text: string, cwd: string): CacheSource {
  const flag = '--cache-from';
  const fields = fieldsOf(flag, text);
  const type = typeOf(flag, text, fields, ['registry', 'local']);
  const location =
    type === 'local' ? directoryOf(flag, text, fields, 'src', cwd) : registryOf(flag, text, fields);
  refuseUnknown(flag, text, fields, ['type', type === 'local' ? 'src' : 'ref', 'mounts']);
  const mounts = booleanOf(flag, text, fields, 'mounts', true);
  return { location, name: nameOf(location), mounts, isExpected: true };
}

function parseDestination(text: string, cwd: string): CacheDestination | 'inline' {
  const flag = '--cache-to';
  const fields = fieldsOf(flag, text);
  const type = typeOf(flag, text, fields, ['registry', 'local', 'inline']);
  if (type === 'inline') {
    refuseUnknown(flag, text, fields, ['type']);
    return 'inline';
  }
  const isLocal = type === 'local';
  const location = isLocal ? directoryOf(flag, text, fields, 'dest', cwd) : registryOf(flag, text, fields);
  refuseUnknown(flag, text, fields, ['type', isLocal ? 'dest' : 'ref', ...DESTINATION_FIELDS]);
  // What BuildKit's users write for registries that want it so; here it is never otherwise.
  for (const name of ALWAYS)
    if (!booleanOf(flag, text, fields, name, true)) throw usage(flag, text, `${name}=false is not supported`);
  const mode = fields.get('mode') ?? 'min';
  if (mode !== 'min' && mode !== 'max') throw usage(flag, text, `mode=${mode}: must be min or max`);
  return {
    location: tagged(flag, location),
    name: nameOf(location),
    allStages: mode === 'max',
    mounts: booleanOf(flag, text, fields, 'mounts', mode === 'max'),
    compression: compressionOf(flag, text, fields),
    ignoreError: booleanOf(flag, text, fields, 'ignore-error', false),
  };
}

const ALWAYS = ['oci-mediatypes', 'image-manifest'] as const;
const DESTINATION_FIELDS = ['mode', 'mounts', 'compression', 'compression-level', 'ignore-error', ...ALWAYS];

type Fields = ReadonlyMap<string, string>;

/** A text without `=` is a reference, as for buildx and podman. */
function fieldsOf(flag: string, text: string): Fields {
  if (text === '') throw usage(flag, text, 'expected a reference, or type=TYPE,…');
  if (!text.includes('=')) {
    return new Map([
      ['type', 'registry'],
      ['ref', text],
    ]);
  }
  const fields = new Map<string, string>();
  for (const part of text.split(',')) {
    const at = part.indexOf('=');
    if (at <= 0) throw usage(flag, text, `invalid field ${JSON.stringify(part)}`);
    fields.set(part.slice(0, at).trim().toLowerCase(), part.slice(at + 1));
  }
  return fields;
}

function typeOf<T extends string>(flag: string, text: string, fields: Fields, types: readonly T[]): T {
  const type = types.find((one) => one === fields.get('type'));
  if (type !== undefined) return type;
  const given = fields.get('type');
  throw usage(
    flag,
    text,
    given === undefined ? 'type is missing' : `caches of type ${JSON.stringify(given)} are not supported`,
    { hint: `use ${types.map((one) => EXAMPLES[one]).join(' or ')}` },
  );
}

const EXAMPLES: Readonly<Record<string, string>> = {
  registry: 'type=registry,ref=REGISTRY/NAME:TAG',
  local: 'type=local with a directory',
  inline: 'type=inline',
};

function refuseUnknown(flag: string, text: string, fields: Fields, known: readonly string[]): void {
  const unknown = [...fields.keys()].find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw usage(flag, text, `${unknown} is not supported for type ${JSON.stringify(fields.get('type'))}`, {
    hint: `known are ${known.join(', ')}`,
  });
}

function booleanOf(flag: string, text: string, fields: Fields, name: string, standard: boolean): boolean {
  const value = fields.get(name) ?? String(standard);
  if (value === 'true' || value === '1') return true;
  if (value === 'false' || value === '0') return false;
  throw usage(flag, text, `${name}=${value}: must be true or false`);
}

function compressionOf(flag: string, text: string, fields: Fields): CompressionChoice {
  const format = fields.get('compression') ?? 'gzip';
  const level = fields.get('compression-level');
  if (!isCompression(format))
    throw usage(flag, text, `compression=${format}: must be one of ${COMPRESSIONS.join(', ')}`);
  return chooseCompression(format, level === undefined ? undefined : Number(level));
}

function isCompression(text: string): text is LayerCompression {
  return (COMPRESSIONS as readonly string[]).includes(text);
}

function registryOf(flag: string, text: string, fields: Fields): CacheLocation {
  const ref = fields.get('ref') ?? '';
  if (ref === '') throw usage(flag, text, 'ref is required for type "registry"');
  return registry(ref);
}

function registry(text: string): CacheLocation {
  return { kind: 'registry', ref: withDefaultTag(parseReference(text.replace(/^docker:\/\//, ''))) };
}

function directoryOf(
  flag: string,
  text: string,
  fields: Fields,
  name: 'src' | 'dest',
  cwd: string,
): CacheLocation {
  const path = fields.get(name) ?? '';
  if (path === '') throw usage(flag, text, `${name} is required for type "local"`);
  return directory(path, cwd);
}

function directory(path: string, cwd: string): CacheLocation {
  if (!encodeBytes(path).equals(Buffer.from(path)))
    throw new EngineError('USAGE', `using ${JSON.stringify(path)} for a cache: its name is not UTF-8`);
  const joined = path.startsWith('/') ? path : `${cwd}/${path}`;
  return { kind: 'directory', path: joined.replace(/\/+(?:\.\/+)*/g, '/').replace(/\/\.?$/, '') || '/' };
}

/** Nothing can be put under a digest of somebody's choice. */
function tagged(flag: string, location: CacheLocation): CacheLocation {
  if (location.kind === 'directory' || location.ref.digest === undefined) return location;
  throw usage(flag, formatReference(location.ref), 'cannot export to a digest', {
    hint: 'give a tag instead',
  });
}

function nameOf(location: CacheLocation): string {
  return location.kind === 'directory' ? location.path : formatFamiliar(location.ref);
}

function usage(flag: string, text: string, cause: string, { hint }: { hint?: string } = {}): EngineError {
  return new EngineError('USAGE', `${flag} ${JSON.stringify(text)}: ${cause}`, { hint });
}
