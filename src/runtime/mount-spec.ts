// -v, --mount and --tmpfs: docker's three spellings of "put this there". (pure) Texts become MountSpecs; whether a
// source exists is looked at later (container/configure/prepare.ts).

import { isVolumeName } from '../core/volume-name.ts';
import type { MountFlags, Propagation } from '../native/plan.ts';
import { setFlag, splitCsv, take, takeBoolean, usage } from './mount-text.ts';
import { absoluteSource, checkTarget } from './mount-path.ts';
import { parseSize } from '../core/sizes.ts';

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
  | VolumeMount;

/** A volume of the store: a named one (-v name:/path), or one without a name of its own (VOLUME of the image, -v /path). */
export interface VolumeMount {
  type: 'volume';
  /** Undefined until the container is made: then an anonymous volume gets 64 hex digits. */
  name: string | undefined;
  /** Goes with its last container where that is asked for: `rm -v`, `run --rm`. */
  anonymous: boolean;
  target: string;
  flags: MountFlags;
  /** Do not fill it with what the image has there. */
  noCopy: boolean;
  /** What of it is mounted (volume-subpath): a relative path that must be there. */
  subpath?: string;
  /** What `inspect` shows as Mode: the options as typed. */
  mode: string;
  /** How to make it when it is not there (--mount volume-opt, volume-label). */
  make?: { options: Record<string, string>; labels: Record<string, string> };
  /** Where it is, decided when the container is made (container/volumes.ts). */
  source?: VolumeSource;
}

export type VolumeSource =
  | { kind: 'directory'; path: string; recursive: boolean; flags: MountFlags }
  /** Made anew in each container. */
  | { kind: 'tmpfs'; data: string; flags: MountFlags };

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
    return { mount: anonymousVolume(checkTarget('-v', text, first)), notes: [] };
  }
  const target = checkTarget('-v', text, second);
  const words = third === undefined ? [] : third.split(',');
  if (!isPath(first)) {
    if (!isVolumeName(first)) {
      throw usage(
        '-v',
        text,
        `${JSON.stringify(first)} is no volume name (letters, digits, _ . -); a directory starts with / or ./`,
      );
    }
    return namedVolume(text, first, target, words);
  }
  const { notes, ...rest } = bindOptions('-v', text, words);
  return {
    mount: { type: 'bind', source: absoluteSource(first, cwd), target, ...rest, createSource: true },
    notes,
  };
}

/** What VOLUME of an image and `-v /path` mean. */
export function anonymousVolume(target: string): VolumeMount {
  return { type: 'volume', name: undefined, anonymous: true, target, flags: {}, noCopy: false, mode: '' };
}

/** docker's modes of a volume: propagation and (r)bind are for directories of the host. */
function namedVolume(text: string, name: string, target: string, words: readonly string[]): ParsedMount {
  const flags: MountFlags = {};
  const notes: string[] = [];
  for (const word of words) {
    if (setFlag(flags, word) || word === 'nocopy') continue;
    if (word === 'z' || word === 'Z') notes.push(notRelabelled('-v', text, word));
    else if (!/^(consistent|cached|delegated)$/.test(word))
      throw usage(
        '-v',
        text,
        `unknown option ${JSON.stringify(word)} for a volume; known: ro rw nocopy exec noexec suid nosuid dev nodev z Z`,
      );
  }
  const noCopy = words.includes('nocopy');
  const mode = words.length === 0 ? 'z' : words.join(','); // docker shows z where nothing was given
  return { mount: { type: 'volume', name, anonymous: false, target, flags, noCopy, mode }, notes };
}

function notRelabelled(flag: string, text: string, option: string): string {
  return `${flag} ${text}: SELinux relabelling (${option}) is not done`;
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

/** Of each of these at most one may be given. */
const EXCLUSIVE: readonly (readonly string[])[] = [
  ['ro', 'rw', 'readonly'],
  ['exec', 'noexec'],
  ['suid', 'nosuid'],
  ['dev', 'nodev'],
  ['bind', 'rbind'],
  ['z', 'Z'],
  PROPAGATIONS,
];

function checkExclusive(flag: string, text: string, options: readonly string[]): void {
  for (const group of EXCLUSIVE) {
    const given = options.filter((option) => group.includes(option));
    if (given.length > 1) throw usage(flag, text, `invalid mode: ${given.join(',')}`);
  }
}

function bindOptions(flag: string, text: string, options: readonly string[]): BindOptions {
  checkExclusive(flag, text, options);
  const result: BindOptions = { flags: {}, recursive: true, propagation: 'rprivate', notes: [] };
  for (const option of options) {
    if (setFlag(result.flags, option)) continue;
    if (PROPAGATIONS.includes(option)) result.propagation = option as Propagation;
    else if (option === 'rbind') result.recursive = true;
    else if (option === 'bind') result.recursive = false;
    else if (option === 'z' || option === 'Z') result.notes.push(notRelabelled(flag, text, option));
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

/** `type=bind,source=/a,target=/b,readonly`: comma separated, fields may be quoted as in CSV. @throws USAGE */
export function parseMount(text: string, cwd: string): ParsedMount {
  const fields = new Map<string, string>();
  const make = { options: {}, labels: {} };
  for (const field of splitCsv(text)) {
    const at = field.indexOf('=');
    const key = (at < 0 ? field : field.slice(0, at)).trim().toLowerCase();
    const value = at < 0 ? 'true' : field.slice(at + 1);
    // The two that may be given several times.
    if (key === 'volume-opt') addPair(make.options, text, key, value);
    else if (key === 'volume-label') addPair(make.labels, text, key, value);
    else fields.set(MOUNT_ALIASES[key] ?? key, value);
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
          ? volumeMount(fields, text, target, make)
          : undefined;
  if (parsed === undefined)
    throw usage('--mount', text, `type ${JSON.stringify(type)} is not supported; use bind, tmpfs or volume`);
  if (readOnly !== undefined) parsed.mount.flags.readOnly = readOnly;
  const [made] = [...Object.keys(make.options), ...Object.keys(make.labels)];
  const [unknown] = [
    ...fields.keys(),
    ...(made !== undefined && parsed.mount.type !== 'volume' ? ['volume-opt'] : []),
  ];
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

function volumeMount(
  fields: Map<string, string>,
  text: string,
  target: string,
  make: Required<VolumeMount>['make'],
): ParsedMount {
  const source = take(fields, 'source') ?? '';
  if (source.includes('/'))
    throw usage(
      '--mount',
      text,
      `${JSON.stringify(source)} is no volume name; use type=bind for a directory`,
    );
  if (source !== '' && !isVolumeName(source))
    throw usage('--mount', text, `${JSON.stringify(source)} is no volume name (letters, digits, _ . -)`);
  const driver = take(fields, 'volume-driver') ?? 'local';
  if (driver !== 'local' && driver !== '')
    throw usage(
      '--mount',
      text,
      `volume driver ${JSON.stringify(driver)}: plugin not found; there is local alone`,
    );
  const subpath = take(fields, 'volume-subpath') ?? '';
  if (subpath.startsWith('/') || subpath.split('/').includes('..'))
    throw usage('--mount', text, 'volume-subpath must be a relative path within the volume');
  const noCopy = takeBoolean(fields, 'volume-nocopy', text) ?? false;
  return {
    mount: {
      type: 'volume',
      name: source === '' ? undefined : source,
      anonymous: source === '',
      target,
      flags: {},
      noCopy: noCopy || subpath !== '', // what has the path has something in it
      ...(subpath === '' ? {} : { subpath }),
      mode: 'z',
      ...(isEmpty(make.options) && isEmpty(make.labels) ? {} : { make }),
    },
    notes: [],
  };
}

function isEmpty(pairs: object): boolean {
  return Object.keys(pairs).length === 0;
}

/** `key=value`, as the value of a field: volume-opt=type=tmpfs. */
function addPair(into: Record<string, string>, text: string, field: string, value: string): void {
  const at = value.indexOf('=');
  if (at === 0 || value === '') throw usage('--mount', text, `${field}: expected KEY=VALUE`);
  into[at < 0 ? value : value.slice(0, at)] = at < 0 ? '' : value.slice(at + 1);
}

/** tmpfs(5): what the kernel takes, so that a mistake is told by the option's name. */
const TMPFS_DATA: Readonly<Record<string, readonly [pattern: RegExp, expected: string]>> = {
  size: [/^\d+([kmgtpe]|%)?$/i, 'a number of bytes with an optional unit k, m or g, or a percentage'],
  mode: [/^[0-7]{1,5}$/, 'octal digits, for example 1777'],
  uid: [/^\d{1,10}$/, 'a number'],
  gid: [/^\d{1,10}$/, 'a number'],
  nr_blocks: [/^\d+[kmgtpe]?$/i, 'a number with an optional unit k, m or g'],
  nr_inodes: [/^\d+[kmgtpe]?$/i, 'a number with an optional unit k, m or g'],
  huge: [/^(never|always|within_size|advise)$/, 'never, always, within_size or advise'],
  mpol: [/^[^,]+$/, 'a memory policy'],
};

/** False when `option` is none of them. @throws USAGE for a bad value */
function isTmpfsData(option: string, text: string): boolean {
  const at = option.indexOf('=');
  const name = option.slice(0, at);
  if (at < 0 || !Object.hasOwn(TMPFS_DATA, name)) return false;
  const [pattern, expected] = TMPFS_DATA[name] as (typeof TMPFS_DATA)[string];
  if (pattern.test(option.slice(at + 1))) return true;
  throw usage('--tmpfs', text, `invalid ${option}, expected ${expected}`);
}

/** `TARGET[:OPTIONS]`, noexec,nosuid,nodev unless the options say otherwise. @throws USAGE */
export function parseTmpfs(text: string): MountSpec {
  const at = text.indexOf(':');
  const target = checkTarget('--tmpfs', text, at < 0 ? text : text.slice(0, at));
  const flags: MountFlags = { noSuid: true, noDev: true, noExec: true };
  const data: string[] = [];
  for (const option of at < 0 ? [] : text.slice(at + 1).split(',')) {
    if (option === '' || option === 'defaults' || setFlag(flags, option)) continue;
    if (!isTmpfsData(option, text))
      throw usage(
        '--tmpfs',
        text,
        `unknown option ${JSON.stringify(option)}; known: ro rw exec noexec suid nosuid dev nodev size= mode= uid= gid= nr_inodes=`,
      );
    data.push(option);
  }
  return { type: 'tmpfs', target, flags, data: data.join(',') };
}
