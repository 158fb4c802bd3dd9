// The functions that a template may call: those of text/template, and docker's and podman's additions. Pure.

import { templateError } from './lex.ts';
import { compareValues, display, isTrue, printValues, sprintf } from './values.ts';

export type TemplateFunction = (...args: unknown[]) => unknown;

/** `and` and `or` are not here: they do not evaluate all of their arguments (evaluate.ts). */
export const FUNCTIONS: Readonly<Record<string, TemplateFunction>> = {
  not: (value) => !isTrue(value),
  eq: (first, ...others) => others.some((other) => compareValues(first, other, 'eq') === 0),
  ne: (a, b) => compareValues(a, b, 'ne') !== 0,
  lt: (a, b) => compareValues(a, b, 'lt') < 0,
  le: (a, b) => compareValues(a, b, 'le') <= 0,
  gt: (a, b) => compareValues(a, b, 'gt') > 0,
  ge: (a, b) => compareValues(a, b, 'ge') >= 0,
  len,
  index,
  slice,
  print: printValues,
  println: (...args) => `${args.map(display).join(' ')}\n`,
  printf: (format, ...args) => sprintf(text('printf', format), args),
  html: (...args) => escapeHtml(printValues(...args)),
  urlquery: (...args) => encodeURIComponent(printValues(...args)).replaceAll('%20', '+'),
  js: (...args) => JSON.stringify(printValues(...args)).slice(1, -1),

  json: (value) => JSON.stringify(value ?? null),
  split: (value, separator) => text('split', value).split(text('split', separator)),
  join: (values, separator) => list('join', values).map(display).join(text('join', separator)),
  lower: (value) => text('lower', value).toLowerCase(),
  upper: (value) => text('upper', value).toUpperCase(),
  title: (value) =>
    text('title', value).replace(
      /(^|[^\p{L}\p{N}_'])(\p{L})/gu,
      (_, before: string, letter: string) => before + letter.toUpperCase(),
    ),
  pad: (value, left, right) =>
    display(value) === '' ? '' : ' '.repeat(Number(left)) + display(value) + ' '.repeat(Number(right)),
  truncate: (value, length) => [...text('truncate', value)].slice(0, Number(length)).join(''),
};

function text(name: string, value: unknown): string {
  if (typeof value === 'string') return value;
  throw templateError(`${name}: ${describe(value)} is not a string`);
}

function list(name: string, value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  if (value === null || value === undefined) return [];
  throw templateError(`${name}: ${describe(value)} is not a list`);
}

function describe(value: unknown): string {
  const shown = JSON.stringify(value) as string | undefined;
  return shown === undefined ? 'nothing' : shown.length > 40 ? `${shown.slice(0, 40)}…` : shown;
}

function len(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (Array.isArray(value)) return value.length;
  if (value instanceof Map) return value.size;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length;
  if (value === null || value === undefined) return 0; // a nil slice or map
  throw templateError(`len: ${describe(value)} has no length`);
}

/** `index x 1 "key"`: x[1]["key"]; a missing key of a map is nothing, an index out of range an error, as in Go. */
function index(value: unknown, ...keys: unknown[]): unknown {
  let current = value;
  for (const key of keys) {
    if (Array.isArray(current) || typeof current === 'string') {
      const at = Number(key);
      if (typeof key !== 'number' || !Number.isInteger(at))
        throw templateError(`index: ${describe(key)} is no index of a list`);
      if (at < 0 || at >= current.length)
        throw templateError(`index out of range: ${at} of ${current.length}`);
      current = Array.isArray(current) ? (current[at] as unknown) : Buffer.from(current)[at];
    } else if (current instanceof Map) {
      current = current.get(key) as unknown;
    } else if (typeof current === 'object' && current !== null) {
      current = Object.hasOwn(current, String(key))
        ? (current as Record<string, unknown>)[String(key)]
        : undefined;
    } else if (current !== undefined && current !== null) {
      throw templateError(`index: ${describe(current)} is neither a list nor a map`);
    }
  }
  return current;
}

function slice(value: unknown, from: unknown = 0, to?: unknown): unknown {
  if (typeof value !== 'string' && !Array.isArray(value))
    throw templateError(`slice: ${describe(value)} is not a list`);
  const end = to === undefined ? value.length : Number(to);
  if (!(Number(from) >= 0 && Number(from) <= end && end <= value.length)) {
    throw templateError(`slice: ${describe(from)}:${describe(to ?? value.length)} is out of range`);
  }
  return value.slice(Number(from), end);
}

function escapeHtml(value: string): string {
  const names: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&#34;',
    "'": '&#39;',
  };
  return value.replace(/[&<>"']/g, (c) => names[c] ?? c);
}
