// Values as Go's fmt prints and text/template compares them. JavaScript objects stand for structs and maps. Pure.

import { templateError } from './lex.ts';

/** text/template, "if": false, 0, nil, and what is empty. */
export function isTrue(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (value instanceof Map) return value.size > 0;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}

/** fmt's %v. */
export function display(value: unknown): string {
  if (value === undefined || value === null) return '<no value>';
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return `[${value.map(inner).join(' ')}]`;
  if (typeof value === 'object') {
    const entries = value instanceof Map ? [...value.entries()] : Object.entries(value);
    const sorted = entries
      .map(([key, item]) => [String(key), item] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    return `map[${sorted.map(([key, item]) => `${key}:${inner(item)}`).join(' ')}]`;
  }
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint')
    return String(value);
  return '<function>';
}

function inner(value: unknown): string {
  return value === undefined || value === null ? '<nil>' : display(value);
}

/** fmt.Sprint: a space between two neighbours of which neither is a string. */
export function printValues(...args: unknown[]): string {
  let out = '';
  args.forEach((arg, i) => {
    if (i > 0 && typeof arg !== 'string' && typeof args[i - 1] !== 'string') out += ' ';
    out += display(arg);
  });
  return out;
}

/** <0, 0, >0. eq and ne accept any two values, the others two numbers or two strings. */
export function compareValues(a: unknown, b: unknown, name: string): number {
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0;
  if (isNumber(a) && isNumber(b)) return a < b ? -1 : a > b ? 1 : 0;
  if (typeof a === 'boolean' && typeof b === 'boolean' && (name === 'eq' || name === 'ne'))
    return a === b ? 0 : 1;
  if (name === 'eq' || name === 'ne') {
    if (a === undefined || a === null || b === undefined || b === null)
      return (a ?? null) === (b ?? null) ? 0 : 1;
  }
  throw templateError(`${name}: cannot compare ${typeName(a)} with ${typeName(b)}`);
}

function isNumber(value: unknown): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}

export function typeName(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

const VERB = /%(%|([-+# 0]*)(\d+|\*)?(?:\.(\d+|\*))?([a-zA-Z]))/g;

/** fmt.Sprintf for the verbs v s q d x X o b c U t T f F e E g G. What does not fit is printed as Go does: %!d(string=x). */
export function sprintf(format: string, args: readonly unknown[]): string {
  let next = 0;
  const out = format.replace(
    VERB,
    (whole, percent: string, flags = '', width = '', precision: string | undefined, verb = '') => {
      if (percent === '%') return '%';
      const star = () => String(Number(args[next++]));
      const size = Number(width === '*' ? star() : width);
      const digits = precision === undefined ? undefined : Number(precision === '*' ? star() : precision);
      if (next >= args.length) return `%!${verb as string}(MISSING)`;
      return pad(
        formatVerb(verb as string, args[next++], digits, flags as string, whole),
        size,
        flags as string,
      );
    },
  );
  const extra = args.slice(next);
  return extra.length === 0
    ? out
    : `${out}%!(EXTRA ${extra.map((arg) => `${goType(arg)}=${display(arg)}`).join(', ')})`;
}

function formatVerb(
  verb: string,
  arg: unknown,
  digits: number | undefined,
  flags: string,
  whole: string,
): string {
  const mismatch = () => `%!${verb}(${goType(arg)}=${display(arg)})`;
  switch (verb) {
    case 'v':
      return flags.includes('#') && typeof arg === 'string' ? JSON.stringify(arg) : display(arg);
    case 's': {
      if (isNumber(arg) || typeof arg === 'boolean') return mismatch();
      const shown = display(arg);
      return digits === undefined ? shown : [...shown].slice(0, digits).join('');
    }
    case 'q':
      return Array.isArray(arg)
        ? `[${arg.map((item) => JSON.stringify(display(item))).join(' ')}]`
        : JSON.stringify(display(arg));
    case 't':
      return typeof arg === 'boolean' ? String(arg) : mismatch();
    case 'T':
      return goType(arg);
    case 'd':
      return isInteger(arg) ? plus(arg, flags) + arg.toString() : mismatch();
    case 'x':
    case 'X': {
      const hex = isInteger(arg)
        ? arg.toString(16)
        : typeof arg === 'string'
          ? Buffer.from(arg).toString('hex')
          : undefined;
      return hex === undefined ? mismatch() : verb === 'X' ? hex.toUpperCase() : hex;
    }
    case 'o':
      return isInteger(arg) ? arg.toString(8) : mismatch();
    case 'b':
      return isInteger(arg) ? arg.toString(2) : mismatch();
    case 'c':
      return isInteger(arg) ? String.fromCodePoint(Number(arg)) : mismatch();
    case 'U':
      return isInteger(arg) ? `U+${arg.toString(16).toUpperCase().padStart(4, '0')}` : mismatch();
    case 'f':
    case 'F':
      return isNumber(arg) ? plus(arg, flags) + Number(arg).toFixed(digits ?? 6) : mismatch();
    case 'e':
    case 'E':
      return isNumber(arg)
        ? Number(arg)
            .toExponential(digits ?? 6)
            .replace(/e([+-])(\d)$/, 'e$10$2')
        : mismatch();
    case 'g':
    case 'G':
      return isNumber(arg)
        ? digits === undefined
          ? String(arg)
          : String(Number(Number(arg).toPrecision(digits || 1)))
        : mismatch();
    default:
      return whole === '' ? '' : mismatch();
  }
}

function isInteger(value: unknown): value is number | bigint {
  return typeof value === 'bigint' || Number.isInteger(value);
}

function plus(value: number | bigint, flags: string): string {
  return value < 0 ? '' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '';
}

function pad(text: string, size: number, flags: string): string {
  const missing = size - [...text].length;
  if (missing <= 0) return text;
  if (flags.includes('-')) return text + ' '.repeat(missing);
  if (!flags.includes('0')) return ' '.repeat(missing) + text;
  const sign = /^[+-]/.exec(text)?.[0] ?? '';
  return sign + '0'.repeat(missing) + text.slice(sign.length);
}

function goType(value: unknown): string {
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'bool';
  if (isNumber(value)) return isInteger(value) ? 'int' : 'float64';
  return Array.isArray(value)
    ? '[]interface {}'
    : value === undefined || value === null
      ? '<nil>'
      : 'map[string]interface {}';
}
