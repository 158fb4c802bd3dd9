// `ps`: which containers there are, filtered as docker filters. Takes no lock but the probe of each container's own.

import { lstatSync, readdirSync } from 'node:fs';
import { EngineError } from '../core/errors.ts';
import { hasLabel } from '../core/labels.ts';
import { containerDir, type StoreRoot } from '../store/layout.ts';
import type { ContainerSpec } from '../runtime/spec.ts';
import { HEALTH_WORDS, healthWord, type HealthWord } from './health.ts';
import { readAllNotes } from './records.ts';
import { listedState, stateWord, type ListedState } from './state.ts';

export interface ListedContainer {
  spec: ContainerSpec;
  state: ListedState;
  health: HealthWord;
}

export interface ListRequest {
  /** Not only the running ones. */
  all: boolean;
  /** The n made last, whatever their state; -1: no limit. */
  last: number;
  /** `key=value` texts. */
  filters: readonly string[];
}

/** Newest first. Dead --rm containers are swept on the way. @throws USAGE for a filter nobody knows */
export async function listContainers(root: StoreRoot, request: ListRequest): Promise<ListedContainer[]> {
  const filter = parseFilters(request.filters);
  const listed: ListedContainer[] = [];
  const all: ListedContainer[] = [];
  for (const notes of readAllNotes(root)) {
    const { id, spec } = notes;
    const state = spec === undefined ? undefined : listedState(root, notes);
    if (spec === undefined || state === undefined || (spec.host.autoRemove && !isUp(state))) {
      // Dead, half-made, or just starting: the sweep takes the first two and passes over the third.
      if ((await sweepQuietly(root, id)) || spec === undefined || state === undefined) continue;
    }
    all.push({ spec, state, health: healthWord(root, spec, state) });
  }
  all.sort((a, b) => (a.spec.createdAt < b.spec.createdAt ? 1 : -1));
  const wide = request.all || request.last >= 0 || filter.has('status') || filter.has('exited');
  for (const container of all) {
    if ((wide || isUp(container.state)) && matches(container, filter, all)) listed.push(container);
  }
  return request.last >= 0 ? listed.slice(0, request.last) : listed;
}

/** docker lists these without --all. */
function isUp({ status }: ListedState): boolean {
  return status === 'running' || status === 'restarting';
}

/** True when it is gone. What cannot be deleted has left containers/ all the same, and the next `rm` finishes it in tmp/. */
async function sweepQuietly(root: StoreRoot, id: ContainerSpec['id']): Promise<boolean> {
  const { sweepDead } = await import('./remove.ts'); // seldom needed, and most of what there is to load
  try {
    return (await sweepDead(root, [id])).length > 0;
  } catch (error) {
    if (error instanceof EngineError) return true;
    throw error;
  }
}

type Filters = Map<string, string[]>;

const FILTER_KEYS = [
  'id',
  'name',
  'label',
  'exited',
  'status',
  'ancestor',
  'before',
  'since',
  'volume',
  'network',
  'publish',
  'expose',
  'health',
];

/** (pure) */
export function parseFilters(texts: readonly string[]): Filters {
  const filters: Filters = new Map();
  for (const text of texts) {
    const at = text.indexOf('=');
    const key = text.slice(0, at).trim();
    if (at <= 0 || !FILTER_KEYS.includes(key)) {
      throw new EngineError(
        'USAGE',
        `--filter ${JSON.stringify(text)}: invalid filter, expected KEY=VALUE with one of ${FILTER_KEYS.join(', ')}`,
      );
    }
    filters.set(key, [...(filters.get(key) ?? []), text.slice(at + 1)]);
  }
  for (const status of filters.get('status') ?? []) {
    if (!/^(created|restarting|running|removing|paused|exited|dead)$/.test(status)) {
      throw new EngineError(
        'USAGE',
        `--filter status=${status}: invalid filter, expected created, running, paused, restarting or exited`,
      );
    }
  }
  for (const word of filters.get('health') ?? []) {
    if (!HEALTH_WORDS.some((each) => each === word))
      throw new EngineError(
        'USAGE',
        `--filter health=${word}: invalid filter, expected ${HEALTH_WORDS.join(', ')}`,
      );
  }
  return filters;
}

/** Values of one key are alternatives, except labels, which must all be there. (pure) */
export function matches(
  container: ListedContainer,
  filters: Filters,
  all: readonly ListedContainer[],
): boolean {
  for (const [key, values] of filters) {
    const test = (value: string): boolean => matchesOne(container, key, value, all);
    if (key === 'label' ? !values.every(test) : !values.some(test)) return false;
  }
  return true;
}

function matchesOne(
  { spec, state, health }: ListedContainer,
  key: string,
  value: string,
  all: readonly ListedContainer[],
): boolean {
  switch (key) {
    case 'id':
      return spec.id.startsWith(value);
    case 'name':
      return isMatch(value, spec.name);
    case 'label':
      return hasLabel(spec.config.labels, value);
    case 'exited':
      return state.status === 'exited' && state.exitCode === Number(value);
    case 'status':
      return stateWord(state) === value;
    case 'ancestor':
      return isImage(spec, value);
    case 'before':
      return spec.createdAt < madeAt(all, value);
    case 'since':
      return spec.createdAt > madeAt(all, value);
    case 'volume':
      return spec.host.mounts.some(
        (mount) =>
          mount.target === value ||
          (mount.type === 'bind' && mount.source === value) ||
          (mount.type === 'volume' && mount.name === value),
      );
    case 'network':
      return spec.network.mode === value;
    case 'publish':
      return spec.network.ports.some(({ hostPort, protocol }) => isPort(value, hostPort, protocol));
    case 'health':
      return health === value;
    default: // expose
      return spec.config.exposedPorts.some((port) => port === (value.includes('/') ? value : `${value}/tcp`));
  }
}

/** docker takes a regular expression here; a text that is none is looked for as it is. */
function isMatch(pattern: string, name: string): boolean {
  try {
    return new RegExp(pattern).test(name) || new RegExp(pattern).test(`/${name}`);
  } catch {
    return name.includes(pattern);
  }
}

function isImage({ image }: ContainerSpec, value: string): boolean {
  if (image === undefined) return false;
  const hex = image.id.slice('sha256:'.length);
  const names = [image.name, image.reference, image.reference.replace(/^docker\.io\/(library\/)?/, '')];
  return (
    names.includes(value) ||
    names.includes(`${value}:latest`) ||
    image.id === value ||
    (/^[0-9a-f]{6,64}$/.test(value) && hex.startsWith(value))
  );
}

function madeAt(all: readonly ListedContainer[], reference: string): string {
  const found = all.find(({ spec }) => spec.name === reference || spec.id.startsWith(reference));
  if (found !== undefined) return found.spec.createdAt;
  throw new EngineError('CONTAINER_NOT_FOUND', `no such container: ${reference}`, { exitCode: 1 });
}

function isPort(value: string, port: number, protocol: string): boolean {
  const [number, kind = 'tcp'] = value.split('/');
  const [first, last = first] = (number ?? '').split('-');
  return kind === protocol && port >= Number(first) && port <= Number(last);
}

/** Bytes in the container's writable layer; what we may not read counts nothing. For --size. */
export function writableBytes(root: StoreRoot, { id }: ContainerSpec): number {
  return bytesBelow(`${containerDir(root, id)}/upper`);
}

function bytesBelow(dir: string): number {
  let names: string[];
  try {
    names = readdirSync(dir);
  } catch {
    return 0;
  }
  let bytes = 0;
  for (const name of names) {
    const stat = lstatSync(`${dir}/${name}`, { throwIfNoEntry: false });
    if (stat?.isDirectory() === true) bytes += bytesBelow(`${dir}/${name}`);
    else if (stat?.isFile() === true) bytes += stat.size;
  }
  return bytes;
}
