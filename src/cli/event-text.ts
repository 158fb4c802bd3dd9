// Events as docker prints them: a line for people, and JSON. (pure)

import type { Event } from '../system/event.ts';

/** 2026-01-02T15:04:05.000000000Z container start ID (image=busybox, name=web); in local time. */
export function eventLine({ timeNano, Type, Action, Actor }: Event): string {
  const attributes = Object.entries(Actor.Attributes).map(([key, value]) => `${key}=${value}`);
  const more = attributes.length === 0 ? '' : ` (${attributes.join(', ')})`;
  return `${localTime(timeNano)} ${Type} ${Action} ${Actor.ID}${more}`;
}

/** RFC 3339 with nine digits after the second. */
export function localTime(ns: bigint): string {
  const date = new Date(Number(ns / 1_000_000n));
  const offset = -date.getTimezoneOffset();
  const local = new Date(date.getTime() + offset * 60_000).toISOString().slice(0, 19);
  const two = (n: number): string => String(n).padStart(2, '0');
  const minutes = Math.abs(offset);
  const zone =
    offset === 0 ? 'Z' : `${offset < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
  return `${local}.${String(ns % 1_000_000_000n).padStart(9, '0')}${zone}`;
}

/** The `json` of templates: an event without the fields that are empty, as docker's; anything else as it is. */
export function eventJson(value: unknown): string {
  if (typeof value === 'bigint') return String(value);
  if (!isEvent(value)) return JSON.stringify(value ?? null);
  const { timeNano, ...rest } = value;
  const shown = Object.entries(rest).filter(([key, field]) => field !== '' || !OPTIONAL.includes(key));
  return `${JSON.stringify(Object.fromEntries(shown)).slice(0, -1)},"timeNano":${timeNano}}`;
}

const OPTIONAL = ['status', 'id', 'from'];

function isEvent(value: unknown): value is Event {
  return typeof value === 'object' && value !== null && 'timeNano' in value;
}
