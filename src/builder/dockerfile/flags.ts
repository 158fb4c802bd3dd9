// Flags of an instruction, `--name=value` ahead of its arguments, against the list of those it takes. (pure)

import { Mistake } from './errors.ts';
import { didYouMean } from './suggest.ts';
import type { FlagText } from './words.ts';

type FlagKind = 'string' | 'boolean' | 'list';
type FlagTable = Readonly<Record<string, FlagKind>>;

type FlagValue<K extends FlagKind> = K extends 'boolean'
  ? boolean | undefined
  : K extends 'list'
    ? readonly FlagText[]
    : string | undefined;

/** name → value; undefined when not given, [] for a list. */
export type Flags<T extends FlagTable> = { readonly [N in keyof T]: FlagValue<T[N]> };

/** @throws Mistake in BuildKit's words, at the flag */
export function parseFlags<const T extends FlagTable>(flags: readonly FlagText[], table: T): Flags<T> {
  const found: Record<string, string | boolean | FlagText[] | undefined> = Object.fromEntries(
    Object.entries(table).map(([name, kind]) => [name, kind === 'list' ? [] : undefined]),
  );
  for (const { text, offset } of flags) {
    const equals = text.indexOf('=');
    const name = text.slice(2, equals < 0 ? undefined : equals);
    const value = equals < 0 ? undefined : text.slice(equals + 1);
    const kind = Object.hasOwn(table, name) ? table[name] : undefined;
    if (kind === undefined) {
      throw new Mistake(`unknown flag: --${name}${didYouMean(name, Object.keys(table))}`, { offset });
    }
    if (kind === 'boolean') found[name] = once(found[name], name, offset, readBoolean(name, value, offset));
    else if (value === undefined) throw new Mistake(`missing a value on flag: --${name}`, { offset });
    else if (kind === 'list') (found[name] as FlagText[]).push({ text: value, offset });
    else found[name] = once(found[name], name, offset, value);
  }
  return found as Flags<T>;
}

function once<T>(before: unknown, name: string, offset: number, value: T): T {
  if (before !== undefined) throw new Mistake(`duplicate flag specified: --${name}`, { offset });
  return value;
}

function readBoolean(name: string, value: string | undefined, offset: number): boolean {
  if (value === '') throw new Mistake(`missing a value on flag: --${name}`, { offset });
  switch (value?.toLowerCase()) {
    case undefined:
    case 'true':
      return true;
    case 'false':
      return false;
    default:
      throw new Mistake(`expecting boolean value for flag --${name}, not: ${value as string}`, { offset });
  }
}
