// `volume ls`: which volumes there are, filtered as docker filters. A label filter is shared with `volume prune`.

import { EngineError } from '../core/errors.ts';
import { hasLabel } from '../core/labels.ts';
import { listContainerUses } from '../store/containers.ts';
import type { StoreRoot } from '../store/layout.ts';
import { listVolumes, type Volume } from './records.ts';

/** Ids of the containers that mount each volume, whether or not they run. */
export function volumeUses(root: StoreRoot): Map<string, string[]> {
  const uses = new Map<string, string[]>();
  for (const { id, volumes } of listContainerUses(root)) {
    for (const name of new Set(volumes)) uses.set(name, [...(uses.get(name) ?? []), id]);
  }
  return uses;
}

/** Sorted by name. filters: `key=value` texts; values of one key are alternatives, labels must all be there. @throws USAGE */
export function filterVolumes(root: StoreRoot, filters: readonly string[]): Volume[] {
  const wanted = parseVolumeFilters(filters);
  let uses: Map<string, string[]> | undefined;
  const used = (name: string): boolean => (uses ??= volumeUses(root)).has(name);
  return listVolumes(root).filter((volume) => wanted.every((test) => test(volume, used)));
}

type Test = (volume: Volume, used: (name: string) => boolean) => boolean;

const KEYS = ['dangling', 'driver', 'label', 'name'];

/** (pure) One test for each key. */
export function parseVolumeFilters(texts: readonly string[]): Test[] {
  const values = new Map<string, string[]>();
  for (const text of texts) {
    const at = text.indexOf('=');
    const key = text.slice(0, at).trim();
    if (at <= 0 || !KEYS.includes(key)) {
      throw new EngineError(
        'USAGE',
        `--filter ${JSON.stringify(text)}: invalid filter, expected KEY=VALUE with one of ${KEYS.join(', ')}`,
      );
    }
    values.set(key, [...(values.get(key) ?? []), text.slice(at + 1)]);
  }
  return [...values].map(([key, list]) => testOf(key, list));
}

function testOf(key: string, list: readonly string[]): Test {
  switch (key) {
    case 'dangling': {
      const wanted = list.map(booleanOf);
      return ({ name }, used) => wanted.every((dangling) => dangling === !used(name));
    }
    case 'driver':
      return () => list.includes('local');
    case 'label':
      return (volume) => list.every((text) => hasLabel(volume.labels, text));
    default:
      return ({ name }) => list.some((text) => isMatch(text, name));
  }
}

function booleanOf(text: string): boolean {
  if (/^(true|1|t)$/i.test(text)) return true;
  if (/^(false|0|f)$/i.test(text)) return false;
  throw new EngineError('USAGE', `--filter dangling=${text}: invalid filter, expected true or false`);
}

/** docker takes a regular expression here; a text that is none is looked for as it is. */
function isMatch(pattern: string, name: string): boolean {
  try {
    return new RegExp(pattern).test(name);
  } catch {
    return name.includes(pattern);
  }
}
