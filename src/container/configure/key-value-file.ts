// --env-file and --label-file: docker's line format, byte for byte. (pure) No quotes, no escapes, no expansion:
// leading white space and `#` lines go, everything after the first `=` is the value, trailing spaces included.

import { EngineError } from '../../core/errors.ts';

export interface KeyValueLine {
  key: string;
  /** undefined: a line without `=`. */
  value: string | undefined;
}

/** @throws USAGE naming the file and the line */
export function parseKeyValueFile(text: string, flag: string, path: string): KeyValueLine[] {
  const lines: KeyValueLine[] = [];
  for (const [index, raw] of text
    .replace(/^\ufeff/, '')
    .split('\n')
    .entries()) {
    const line = raw.replace(/\r$/, '').trimStart();
    if (line === '' || line.startsWith('#')) continue;
    const at = line.indexOf('=');
    const key = at < 0 ? line : line.slice(0, at);
    if (key === '' || /\s/.test(key)) {
      const cause =
        key === ''
          ? `no variable name on line ${JSON.stringify(line)}`
          : `variable ${JSON.stringify(key)} contains whitespaces`;
      throw new EngineError('USAGE', `${flag} ${JSON.stringify(path)}, line ${index + 1}: ${cause}`, {
        hint: 'each line is KEY=VALUE, KEY or a # comment; quotes are part of the value',
      });
    }
    lines.push({ key, value: at < 0 ? undefined : line.slice(at + 1) });
  }
  return lines;
}
