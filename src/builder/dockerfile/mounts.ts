// `RUN --mount=type=…`: fields when the file is parsed, the whole meaning once variables have values. (pure)

import { posix } from 'node:path';
import { EngineError } from '../../core/errors.ts';
import { splitCsv } from '../../runtime/mount-text.ts';
import { parseSize } from '../../core/sizes.ts';
import type { Mount, MountFlag, SourceRange } from './ast.ts';
import { Mistake, quoteShort } from './errors.ts';
import { didYouMean } from './suggest.ts';

const TYPES = ['bind', 'cache', 'tmpfs', 'secret', 'ssh'] as const;
const SHARING = ['shared', 'private', 'locked'] as const;
type MountType = (typeof TYPES)[number];

/** Spellings of one key. */
const ALIASES: Readonly<Record<string, string>> = {
  src: 'source',
  dst: 'target',
  destination: 'target',
  ro: 'readonly',
  rw: 'readwrite',
};
/** What each type takes beside `type`. */
const KEYS: Readonly<Record<MountType, readonly string[]>> = {
  bind: ['from', 'source', 'target', 'readonly', 'readwrite'],
  cache: [
    ...['id', 'target', 'from', 'source', 'sharing', 'mode', 'uid', 'gid'],
    ...['readonly', 'readwrite'],
  ],
  tmpfs: ['target', 'size', 'readonly', 'readwrite'],
  secret: ['id', 'source', 'target', 'env', 'required', 'mode', 'uid', 'gid', 'readonly', 'readwrite'],
  ssh: ['id', 'target', 'required', 'mode', 'uid', 'gid', 'readonly', 'readwrite'],
};
const ALL_KEYS = [...new Set(['type', ...Object.values(KEYS).flat(), ...Object.keys(ALIASES)])];
const WITHOUT_VALUE = ['readonly', 'readwrite', 'required'];
const MAX_ID = 2 ** 32 - 1;
const MAX_MODE = 0o7777;

/** What can be told without values: the form, the keys, and `from`, which never holds variables. @throws Mistake */
export function parseMountFlag(text: string, range: SourceRange): MountFlag {
  const fields = splitFields(text).map((field): [string, string | undefined] => {
    const equals = field.indexOf('=');
    const key = (equals < 0 ? field : field.slice(0, equals)).toLowerCase();
    if (!ALL_KEYS.includes(key)) {
      throw new Mistake(`unexpected key '${key}' in '${field}'${didYouMean(key, ALL_KEYS)}`);
    }
    const name = ALIASES[key] ?? key;
    if (equals >= 0) return [name, field.slice(equals + 1)];
    if (!WITHOUT_VALUE.includes(name)) throw new Mistake(`invalid field '${field}' must be a key=value pair`);
    return [name, undefined];
  });
  const from = fields.findLast(([key]) => key === 'from')?.[1];
  if (from !== undefined && /\$./.test(from)) {
    throw new Mistake("'from' doesn't support variable expansion, define alias stage instead");
  }
  const flag = { text, range, fields, from: from === '' ? undefined : from };
  // Without variables, everything can be checked at once.
  if (!text.includes('$')) resolveMount(flag, (value) => value);
  return flag;
}

function splitFields(text: string): string[] {
  try {
    return splitCsv(text);
  } catch (error) {
    if (error instanceof EngineError) throw new Mistake(`failed to parse csv mounts: ${text}`);
    throw error;
  }
}

/** The mount with all defaults filled in. A relative target is below WORKDIR. @throws Mistake */
export function resolveMount(flag: MountFlag, expand: (value: string) => string): Mount {
  const values = new Map<string, string | undefined>();
  for (const [key, value] of flag.fields) {
    values.delete(key); // the last one counts, in its place
    values.set(key, value === undefined ? undefined : expand(value));
  }
  const typed = values.get('type') ?? 'bind';
  const type = TYPES.find((known) => known === typed.toLowerCase());
  if (type === undefined) {
    throw new Mistake(`unsupported mount type ${quoteShort(typed)}${didYouMean(typed.toLowerCase(), TYPES)}`);
  }
  for (const key of values.keys()) refuseForeignKey(type, key);
  const get = (key: string): string | undefined => values.get(key);
  const owner = (mode: number) => ({
    mode: number(get('mode'), 8, MAX_MODE, 'mode') ?? mode,
    uid: number(get('uid'), 10, MAX_ID, 'uid') ?? 0,
    gid: number(get('gid'), 10, MAX_ID, 'gid') ?? 0,
  });
  const readOnly = readOnlyOf(values, type === 'bind' || type === 'secret' || type === 'ssh');
  const target = get('target') ?? '';
  switch (type) {
    case 'bind':
      return { type, from: flag.from, source: get('source') ?? '', target: place(target), readOnly };
    case 'cache':
      return {
        type,
        id: get('id') ?? posix.normalize(place(target)),
        target: place(target),
        readOnly,
        sharing: sharingOf(get('sharing')),
        from: flag.from,
        source: get('source') ?? '',
        ...owner(0o755),
      };
    case 'tmpfs':
      return { type, target: place(target), sizeBytes: sizeOf(get('size')) };
    case 'secret': {
      const id = secretId(get('id'), get('source'), target, get('env'));
      const env = get('env');
      return {
        type,
        id,
        // A variable alone needs no file.
        target: target !== '' ? target : env === undefined ? `/run/secrets/${posix.basename(id)}` : undefined,
        env,
        required: flagOf(values, 'required') ?? false,
        ...owner(0o400),
      };
    }
    case 'ssh':
      return {
        type,
        id: get('id') ?? 'default',
        target: target === '' ? undefined : target,
        required: flagOf(values, 'required') ?? false,
        ...owner(0o600),
      };
  }
}

function refuseForeignKey(type: MountType, key: string): void {
  if (key === 'type' || KEYS[type].includes(key)) return;
  if (['mode', 'uid', 'gid'].includes(key)) throw new Mistake(`${key} not allowed for "${type}" type mounts`);
  if (key === 'sharing') throw new Mistake(`invalid cache sharing set for ${type} mount`);
  if (type === 'secret' && key === 'from') throw new Mistake('secret mount should not have a from');
  if (type === 'ssh' && key === 'source') throw new Mistake('ssh does not support source');
  throw new Mistake(`unexpected key '${key}' for mount type '${type}'`);
}

/** Nothing said: WORKDIR itself. */
function place(target: string): string {
  if (target === '') return '.';
  if (!posix.isAbsolute(target) || posix.normalize(target) !== '/') return target;
  throw new Mistake(`invalid mount target ${quoteShort(target)}`);
}

function secretId(
  id: string | undefined,
  source: string | undefined,
  target: string,
  env: string | undefined,
): string {
  if (id !== undefined && source !== undefined) throw new Mistake("both source and id can't be set");
  const found = id ?? source ?? (target === '' ? env : posix.basename(target));
  if (found !== undefined && found !== '') return found;
  throw new Mistake('invalid secret mount. one of source, target required');
}

function sharingOf(value: string | undefined): (typeof SHARING)[number] {
  const sharing = SHARING.find((known) => known === (value ?? 'shared').toLowerCase());
  if (sharing !== undefined) return sharing;
  throw new Mistake(
    `unsupported sharing value ${quoteShort(value ?? '')}${didYouMean(value as string, SHARING)}`,
  );
}

function readOnlyOf(values: ReadonlyMap<string, string | undefined>, otherwise: boolean): boolean {
  const [last] = [...values.keys()].filter((key) => key === 'readonly' || key === 'readwrite').slice(-1);
  if (last === undefined) return otherwise;
  return (flagOf(values, last) ?? true) === (last === 'readonly');
}

/** `ro`, `ro=true`, `required=0`: as Go's ParseBool. */
function flagOf(values: ReadonlyMap<string, string | undefined>, key: string): boolean | undefined {
  if (!values.has(key)) return undefined;
  const value = values.get(key);
  if (value === undefined || /^(?:1|t|true)$/i.test(value)) return true;
  if (/^(?:0|f|false)$/i.test(value)) return false;
  throw new Mistake(`invalid value for ${key}: ${value}`);
}

function number(value: string | undefined, base: 8 | 10, max: number, key: string): number | undefined {
  if (value === undefined) return undefined;
  const digits = base === 8 ? /^[0-7]{1,11}$/ : /^\d{1,10}$/;
  const result = digits.test(value) ? parseInt(value, base) : NaN;
  if (result <= max) return result;
  throw new Mistake(`invalid value ${value} for ${key}`);
}

function sizeOf(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  try {
    return parseSize(value, 'size');
  } catch (error) {
    if (error instanceof EngineError) throw new Mistake(`invalid value for size: ${value}`);
    throw error;
  }
}
