// The other way round from parse.ts: values of flags → the words that a shell would pass for them. (pure)

import type { Flags } from './command.ts';
import type { FlagMap } from './parse.ts';

/** The flags of `table` that were given: neither left out nor what they are by default. */
export function givenFlags(
  table: Flags,
  values: FlagMap,
): Record<string, boolean | string | number | string[]> {
  const given: Record<string, boolean | string | number | string[]> = {};
  for (const name in table) {
    const flag = table[name];
    const value = values[name];
    if (flag === undefined || value === undefined || (Array.isArray(value) && value.length === 0)) continue;
    const byDefault =
      flag.type === 'list' ? undefined : flag.type === 'boolean' ? (flag.default ?? false) : flag.default;
    if (value !== byDefault) given[name] = value;
  }
  return given;
}

/** `--name=value` each, so that no value is taken for a flag. */
export function flagWords(values: FlagMap): string[] {
  return Object.entries(values).flatMap(([name, value]) => {
    if (value === undefined) return [];
    if (value === true) return [`--${name}`];
    return (Array.isArray(value) ? value : [value]).map((text) => `--${name}=${text}`);
  });
}
