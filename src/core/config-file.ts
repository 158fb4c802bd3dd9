// The text of skiff.conf → sections of keys. Apart from config.ts so that `ini` is loaded only where there is a file.

import { parse } from 'ini';

/** One `key = value` of a file. */
export interface ConfigLine {
  /** Header as written, without the brackets; '' before the first one. */
  section: string;
  key: string;
  /** A list (`key[] = value`) becomes its values joined by commas. */
  value: string;
}

/** A header without keys gives one line with the key ''. (pure) */
export function parseConfigFile(text: string): ConfigLine[] {
  // ini splits section names at dots; a registry's name is one word.
  const escaped = text.replace(/^[ \t]*\[[^\]\n]*\]/gm, (header) => header.replaceAll('.', '\\.'));
  return Object.entries<unknown>(parse(escaped)).flatMap(([name, value]) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return [{ section: '', key: name, value: String(value) }];
    const lines = Object.entries(value).map(([key, item]) => ({ section: name, key, value: String(item) }));
    return lines.length === 0 ? [{ section: name, key: '', value: '' }] : lines;
  });
}
