// `volume create -o type=…,o=…,device=…` as docker's local driver has them. (pure) What an ordinary user can mount is
// honoured: a directory of the host, a tmpfs. Everything else is refused by its name.

import { EngineError } from '../core/errors.ts';
import type { MountFlags } from '../native/plan.ts';

export type VolumeOptions = Readonly<Record<string, string>>;

export type VolumeKind =
  /** The volume's own folder in the store. */
  | { kind: 'own' }
  | { kind: 'bind'; device: string; recursive: boolean; flags: MountFlags }
  | { kind: 'tmpfs'; data: string; flags: MountFlags };

const TMPFS_DATA = /^(size|mode|uid|gid|nr_blocks|nr_inodes|huge|mpol)=[^,]+$/;

/** `KEY=VALUE` texts of a flag; the last of a key wins. @throws USAGE */
export function parsePairs(flag: string, texts: readonly string[]): Record<string, string> {
  const pairs: Record<string, string> = {};
  for (const text of texts) {
    const at = text.indexOf('=');
    const key = at < 0 ? text : text.slice(0, at);
    if (key === '') throw new EngineError('USAGE', `${flag} ${JSON.stringify(text)}: expected KEY=VALUE`);
    pairs[key] = at < 0 ? '' : text.slice(at + 1);
  }
  return pairs;
}

/** @throws USAGE naming the volume and the option that cannot be honoured */
export function volumeKind(name: string, options: VolumeOptions, exitCode = 125): VolumeKind {
  const refuse = (cause: string, hint?: string): never => {
    throw new EngineError('USAGE', `volume ${JSON.stringify(name)}: ${cause}`, { hint, exitCode });
  };
  const unknown = Object.keys(options).find((key) => !['type', 'o', 'device'].includes(key));
  if (unknown === 'size') refuse('option "size": a quota of a volume needs root', LIMITED);
  if (unknown !== undefined) refuse(`invalid option: ${JSON.stringify(unknown)}`, KNOWN);
  if (Object.keys(options).length === 0) return { kind: 'own' };
  const words = (options['o'] ?? '').split(',').filter((word) => word !== '' && word !== 'defaults');
  const bound = words.includes('bind') || words.includes('rbind');
  const type = options['type'] ?? (bound ? 'none' : refuse('missing required option: "type"', KNOWN));
  const device = options['device'] ?? '';
  if (type === 'tmpfs') {
    const { flags, data } = readWords(words);
    const wrong = data.find((word) => !TMPFS_DATA.test(word));
    if (wrong !== undefined) refuse(`option ${JSON.stringify(`o=${wrong}`)} is none of a tmpfs`);
    return { kind: 'tmpfs', data: data.join(','), flags };
  }
  if (type !== 'none' && type !== 'bind' && type !== '')
    refuse(`option "type=${type}": only root may mount that`, KNOWN);
  if (!bound && type !== 'bind') refuse(`option "type=${type}" needs "o=bind"`, KNOWN);
  if (device === '') refuse('missing required option: "device"', KNOWN);
  if (!device.startsWith('/')) refuse(`option "device=${device}": the directory must be absolute`);
  const { flags, data } = readWords(words.filter((word) => word !== 'bind' && word !== 'rbind'));
  if (data[0] !== undefined) refuse(`option ${JSON.stringify(`o=${data[0]}`)} is none of a bind mount`);
  return { kind: 'bind', device, recursive: words.includes('rbind'), flags };
}

const KNOWN =
  'use -o type=none -o o=bind -o device=/DIRECTORY, or -o type=tmpfs -o device=tmpfs -o o=size=64m';
const LIMITED = 'a tmpfs has a limit: -o type=tmpfs -o device=tmpfs -o o=size=64m';

const FLAGS: Readonly<Record<string, MountFlags>> = {
  ro: { readOnly: true },
  rw: { readOnly: false },
  nosuid: { noSuid: true },
  suid: { noSuid: false },
  nodev: { noDev: true },
  dev: { noDev: false },
  noexec: { noExec: true },
  exec: { noExec: false },
};

function readWords(words: readonly string[]): { flags: MountFlags; data: string[] } {
  const flags: MountFlags = {};
  const data: string[] = [];
  for (const word of words) {
    const flag = FLAGS[word];
    if (flag === undefined) data.push(word);
    else Object.assign(flags, flag);
  }
  return { flags, data };
}
