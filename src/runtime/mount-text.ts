// Parts that the spellings of a mount share: options, fields of a CSV record, and how a mistake is told. (pure)

import { EngineError } from '../core/errors.ts';
import type { MountFlags } from '../native/plan.ts';

/** False: it is no flag of a mount. */
export function setFlag(flags: MountFlags, option: string): boolean {
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

export function take(fields: Map<string, string>, key: string): string | undefined {
  const value = fields.get(key);
  fields.delete(key);
  return value;
}

export function takeBoolean(fields: Map<string, string>, key: string, text: string): boolean | undefined {
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

export function usage(flag: string, text: string, cause: string): EngineError {
  return new EngineError('USAGE', `${flag} ${JSON.stringify(text)}: ${cause}`);
}
