// One event: from the line of the log to docker's message, and what --filter says of it. (pure)

import { EngineError } from '../core/errors.ts';
import { isObject } from '../core/json.ts';
import { hasLabel } from '../core/labels.ts';
import { formatFamiliar, parseReference } from '../core/reference.ts';

/** docker's events.Message, with its JSON names. `status`, `id` and `from` are empty where docker leaves them out. */
export interface Event {
  status: string;
  id: string;
  from: string;
  Type: string;
  Action: string;
  Actor: { ID: string; Attributes: Record<string, string> };
  scope: string;
  time: number;
  /** Unix nanoseconds: more digits than a number has. */
  timeNano: bigint;
}

/** To try a template on. */
export const NO_EVENT: Event = {
  status: '',
  id: '',
  from: '',
  Type: '',
  Action: '',
  Actor: { ID: '', Attributes: {} },
  scope: '',
  time: 0,
  timeNano: 0n,
};

/** Every line begins with it, and it has nineteen digits: `{"time":"1700000000000000000",`. undefined: a torn line. */
export function timeOfLine(line: string): bigint | undefined {
  const [, digits] = /^\{"time":"(\d{19})",/.exec(line) ?? [];
  return digits === undefined ? undefined : BigInt(digits);
}

/** undefined for a line that was cut off. */
export function parseEventLine(line: string): Event | undefined {
  const timeNano = timeOfLine(line);
  const fields = timeNano === undefined ? undefined : parseObject(line);
  if (timeNano === undefined || fields === undefined) return undefined;
  const { action, type, id, name } = fields;
  if (typeof action !== 'string' || typeof type !== 'string' || typeof id !== 'string') return undefined;
  // As in docker, labels hide details; a name that was given later hides the one in the attributes.
  const attributes = { ...texts(fields['with']), ...texts(fields['attributes']) };
  if (typeof name === 'string') attributes['name'] = name;
  const isOld = type === 'container' || type === 'image';
  return {
    status: isOld ? action : '',
    id: isOld ? id : '',
    from: type === 'container' ? (attributes['image'] ?? '') : '',
    Type: type,
    Action: action,
    Actor: { ID: id, Attributes: sorted(attributes) },
    scope: 'local',
    time: Number(timeNano / 1_000_000_000n),
    timeNano,
  };
}

function parseObject(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function texts(value: unknown): Record<string, string> {
  if (!isObject(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

function sorted(attributes: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1)));
}

export type EventTest = (event: Event) => boolean;

const KEYS = ['container', 'daemon', 'event', 'image', 'label', 'network', 'scope', 'type', 'volume'];
/** Their actions go on after a colon; docker's filter then takes the word alone. */
const WITH_MORE = ['exec_create', 'exec_start', 'health_status'];

/** `KEY=VALUE` texts: values of one key are alternatives, but labels must all be there; keys must all match. @throws USAGE */
export function parseEventFilters(texts: readonly string[]): EventTest {
  const filters = new Map<string, string[]>();
  for (const text of texts) {
    const at = text.indexOf('=');
    const key = text.slice(0, at).trim().toLowerCase();
    if (at <= 0 || !KEYS.includes(key)) {
      throw new EngineError(
        'USAGE',
        `--filter ${JSON.stringify(text)}: invalid filter, expected KEY=VALUE with one of ${KEYS.join(', ')}`,
      );
    }
    filters.set(key, [...(filters.get(key) ?? []), text.slice(at + 1).trim()]);
  }
  return (event) =>
    [...filters].every(([key, values]) =>
      key === 'label'
        ? values.every((value) => hasLabel(event.Actor.Attributes, value))
        : values.some((value) => matches(event, key, value)),
    );
}

function matches(event: Event, key: string, value: string): boolean {
  switch (key) {
    case 'event':
      return event.Action === value || (WITH_MORE.includes(value) && event.Action.startsWith(`${value}:`));
    case 'type':
      return event.Type === value;
    case 'scope':
      return event.scope === value;
    case 'image':
      return imageNames(event).includes(value);
    default:
      return event.Type === key && isCalled(event, value);
  }
}

/** docker's rule: the beginning of the id or the name is enough. */
function isCalled({ Actor }: Event, value: string): boolean {
  return Actor.ID.startsWith(value) || (Actor.Attributes['name'] ?? '').startsWith(value);
}

/** Of an image event, and of a container that was made from the image; with and without tag. */
function imageNames({ Type, Actor }: Event): string[] {
  const { name = '', image = '' } = Actor.Attributes;
  const names = Type === 'image' ? [Actor.ID, name] : Type === 'container' ? [image] : [];
  return names.flatMap((text) => [text, withoutTag(text)]);
}

function withoutTag(text: string): string {
  try {
    const { registry, repository } = parseReference(text);
    return formatFamiliar({ registry, repository });
  } catch {
    return text; // an id
  }
}
