// -v, --mount and --tmpfs: docker's three spellings of "put this there". (pure) Texts become MountSpecs; whether a
// source exists is looked at later (container/prepare-mounts.ts).

import { EngineError } from '../core/errors.ts';
import type { MountFlags, Propagation } from '../native/plan.ts';
import { parseSize } from './sizes.ts';

export type MountSpec =
  | {
      type: 'bind';
      source: string;
      target: string;
      flags: MountFlags;
      recursive: boolean;
      propagation: Propagation;
      /** Make a missing source directory (-v), instead of failing (--mount). */
      createSource: boolean;
    }
  | { type: 'tmpfs'; target: string; flags: MountFlags; data: string }
  /** A place the image (VOLUME) or the user (-v /path) wants writable; see container/volumes.ts. */
  | { type: 'volume'; name: string | undefined; target: string; flags: MountFlags };

export interface ParsedMount {
  mount: MountSpec;
  /** Options that were accepted without effect, in words. */
  notes: string[];
}

/** `[SOURCE:]TARGET[:OPTIONS]`. `cwd` resolves `./relative` sources. @throws USAGE */
export function parseVolume(text: string, cwd: string): ParsedMount {
  const parts = text.split(':');
  if (parts.length > 3 || parts.some((part) => part === '')) {
    throw usage('-v', text, 'invalid volume specification, expected [SOURCE:]TARGET[:OPTIONS]');
  }
  const [first, second, third] = parts as [string, string | undefined, string | undefined];
  if (second === undefined) {
    return {
      mount: { type: 'volume', name: undefined, target: checkTarget('-v', text, first), flags: {} },
      notes: [],
    };
  }
  const target = checkTarget('-v', text, second);
  const options = bindOptions('-v', text, third === undefined ? [] : third.split(','));
  if (!isPath(first)) {
    if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(first)) {
      throw usage(
        '-v',
        text,
        `${JSON.stringify(first)} is no volume name (letters, digits, _ . -); a directory starts with / or ./`,
      );
    }
    return { mount: { type: 'volume', name: first, target, flags: options.flags }, notes: options.notes };
  }
  const { notes, ...rest } = options;
  return {
    mount: { type: 'bind', source: absoluteSource(first, cwd), target, ...rest, createSource: true },
    notes,
  };
}

function isPath(source: string): boolean {
  return (
    source.startsWith('/') ||
    source === '.' ||
    source === '..' ||
    source.startsWith('./') ||
    source.startsWith('../')
  );
}

interface BindOptions {
  flags: MountFlags;
  recursive: boolean;
  propagation: Propagation;
  notes: string[];
}

const PROPAGATIONS: readonly string[] = ['private', 'rprivate', 'slave', 'rslave', 'shared', 'rshared'];

function bindOptions(flag: string, text: string, options: readonly string[]): BindOptions {
  const result: BindOptions = { flags: {}, recursive: true, propagation: 'rprivate', notes: [] };
  for (const option of options) {
    if (setFlag(result.flags, option)) continue;
    if (PROPAGATIONS.includes(option)) result.propagation = option as Propagation;
    else if (option === 'rbind') result.recursive = true;
    else if (option === 'bind') result.recursive = false;
    else if (option === 'z' || option === 'Z')
      result.notes.push(`${flag} ${text}: SELinux relabelling (${option}) is not done`);
    else if (option === 'nocopy' || /^(consistent|cached|delegated)$/.test(option))
      continue; // docker: no meaning for binds on Linux
    else
      throw usage(
        flag,
        text,
        `unknown option ${JSON.stringify(option)}; known: ro rw exec noexec suid nosuid dev nodev z Z bind rbind ${PROPAGATIONS.join(' ')}`,
      );
  }
  return result;
}

function setFlag(flags: MountFlags, option: string): boolean {
  switch (option) {
    case 'ro':
    case 'readonly':
      flags.readOnly = true;
      return true;
    case 'rw':
      flags.readOnly = false;
      return true;
    case 'nosuid':
    case 'suid':
      flags.noSuid = option === 'nosuid';
      return true;
    case 'nodev':
    case 'dev':
      flags.noDev = option === 'nodev';
      return true;
    case 'noexec':
    case 'exec':
      flags.noExec = option === 'noexec';
      return true;
    default:
      return false;
  }
}

/** `type=bind,source=/a,target=/b,readonly`: comma separated, fields may be quoted as in CSV. @throws USAGE */
export function parseMount(text: string, cwd: string): ParsedMount {
  const fields = new Map<string, string>();
  for (const field of splitCsv(text)) {
    const at = field.indexOf('=');
    const key = (at < 0 ? field : field.slice(0, at)).trim().toLowerCase();
    fields.set(MOUNT_ALIASES[key] ?? key, at < 0 ? 'true' : field.slice(at + 1));
  }
  const type = take(fields, 'type') ?? 'volume';
  const targetText = take(fields, 'target');
  if (targetText === undefined) throw usage('--mount', text, 'target is required');
  const target = checkTarget('--mount', text, targetText);
  const readOnly = takeBoolean(fields, 'readonly', text);
  const parsed =
    type === 'bind'
      ? bindMount(fields, text, target, cwd)
      : type === 'tmpfs'
        ? tmpfsMount(fields, text, target)
        : type === 'volume'
          ? volumeMount(fields, text, target)
          : undefined;
  if (parsed === undefined)
    throw usage('--mount', text, `type ${JSON.stringify(type)} is not supported; use bind, tmpfs or volume`);
  if (readOnly !== undefined) parsed.mount.flags.readOnly = readOnly;
  const [unknown] = fields.keys();
  if (unknown !== undefined)
    throw usage('--mount', text, `unexpected key ${JSON.stringify(unknown)} for type=${type}`);
  return parsed;
}

const MOUNT_ALIASES: Readonly<Record<string, string>> = {
  src: 'source',
  dst: 'target',
  destination: 'target',
  ro: 'readonly',
  'bind-nonrecursive': 'nonrecursive',
};

function bindMount(fields: Map<string, string>, text: string, target: string, cwd: string): ParsedMount {
  const source = take(fields, 'source');
  if (source === undefined || source === '') throw usage('--mount', text, 'source is required for type=bind');
  if (!isPath(source))
    throw usage('--mount', text, 'invalid mount path: a bind source must be absolute or start with ./');
  const propagation = take(fields, 'bind-propagation') ?? 'rprivate';
  if (!PROPAGATIONS.includes(propagation))
    throw usage('--mount', text, `bind-propagation must be one of ${PROPAGATIONS.join(', ')}`);
  const nonRecursive = takeBoolean(fields, 'nonrecursive', text) ?? false;
  const recursiveMode = take(fields, 'bind-recursive') ?? 'enabled';
  if (!/^(enabled|disabled|true|false)$/.test(recursiveMode)) {
    throw usage('--mount', text, 'bind-recursive must be enabled or disabled');
  }
  take(fields, 'consistency');
  return {
    mount: {
      type: 'bind',
      source: absoluteSource(source, cwd),
      target,
      flags: {},
      recursive: !nonRecursive && (recursiveMode === 'enabled' || recursiveMode === 'true'),
      propagation: propagation as Propagation,
      createSource: false,
    },
    notes: [],
  };
}

function tmpfsMount(fields: Map<string, string>, text: string, target: string): ParsedMount {
  if (fields.has('source')) throw usage('--mount', text, 'source is not allowed for type=tmpfs');
  const data: string[] = [];
  const size = take(fields, 'tmpfs-size');
  if (size !== undefined && size !== '') data.push(`size=${parseSize(size, '--mount tmpfs-size')}`);
  const mode = take(fields, 'tmpfs-mode');
  if (mode !== undefined) {
    if (!/^[0-7]{1,4}$/.test(mode))
      throw usage('--mount', text, 'tmpfs-mode must be octal, for example 1777');
    data.push(`mode=${mode}`);
  }
  return {
    mount: {
      type: 'tmpfs',
      target,
      flags: { noSuid: true, noDev: true, noExec: true },
      data: data.join(','),
    },
    notes: [],
  };
}

function volumeMount(fields: Map<string, string>, text: string, target: string): ParsedMount {
  const name = take(fields, 'source');
  if (name?.includes('/') === true)
    throw usage('--mount', text, `${JSON.stringify(name)} is no volume name; use type=bind for a directory`);
  take(fields, 'volume-nocopy');
  return { mount: { type: 'volume', name: name === '' ? undefined : name, target, flags: {} }, notes: [] };
}

const TMPFS_DATA = /^(size|mode|uid|gid|nr_blocks|nr_inodes|huge|mpol)=[^,]+$/;

/** `TARGET[:OPTIONS]`, noexec,nosuid,nodev unless the options say otherwise. @throws USAGE */
export function parseTmpfs(text: string): MountSpec {
  const at = text.indexOf(':');
  const target = checkTarget('--tmpfs', text, at < 0 ? text : text.slice(0, at));
  const flags: MountFlags = { noSuid: true, noDev: true, noExec: true };
  const data: string[] = [];
  for (const option of at < 0 ? [] : text.slice(at + 1).split(',')) {
    if (option === '' || option === 'defaults' || setFlag(flags, option)) continue;
    if (!TMPFS_DATA.test(option))
      throw usage(
        '--tmpfs',
        text,
        `unknown option ${JSON.stringify(option)}; known: ro rw exec noexec suid nosuid dev nodev size= mode= uid= gid= nr_inodes=`,
      );
    data.push(option);
  }
  return { type: 'tmpfs', target, flags, data: data.join(',') };
}

/** Absolute, cleaned of `.`, `..` and doubled slashes; not the root itself. */
function checkTarget(flag: string, text: string, target: string): string {
  if (!target.startsWith('/'))
    throw usage(flag, text, `invalid mount path: ${JSON.stringify(target)}: mount path must be absolute`);
  const clean = cleanPath(target);
  if (clean === '/') throw usage(flag, text, "invalid specification: destination can't be '/'");
  return clean;
}

/** Lexical clean-up of an absolute path (Go's path.Clean). */
export function cleanPath(path: string): string {
  const out: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') out.pop();
    else out.push(part);
  }
  return `/${out.join('/')}`;
}

function absoluteSource(source: string, cwd: string): string {
  return cleanPath(source.startsWith('/') ? source : `${cwd}/${source}`);
}

function take(fields: Map<string, string>, key: string): string | undefined {
  const value = fields.get(key);
  fields.delete(key);
  return value;
}

function takeBoolean(fields: Map<string, string>, key: string, text: string): boolean | undefined {
  const value = take(fields, key);
  if (value === undefined) return undefined;
  if (/^(true|1)$/i.test(value)) return true;
  if (/^(false|0)$/i.test(value)) return false;
  throw usage('--mount', text, `invalid value for ${key}: ${JSON.stringify(value)}, expected true or false`);
}

/** One CSV record (RFC 4180): fields with commas are quoted, quotes doubled. */
export function splitCsv(text: string): string[] {
  const fields: string[] = [];
  const pattern = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/gy;
  while (pattern.lastIndex <= text.length) {
    const start = pattern.lastIndex;
    const match = pattern.exec(text);
    if (match === null)
      throw usage('--mount', text, `misplaced quote near ${JSON.stringify(text.slice(start, start + 12))}`);
    fields.push(match[1]?.replaceAll('""', '"') ?? (match[2] as string));
    if (match[3] === '') break;
  }
  return fields;
}

function usage(flag: string, text: string, cause: string): EngineError {
  return new EngineError('USAGE', `${flag} ${JSON.stringify(text)}: ${cause}`);
}
