// --format of every command: nothing, `json`, a Go template, or `table TEMPLATE`, with docker's results. Pure: lines out.

import { evaluate } from './template/evaluate.ts';
import { parseTemplate } from './template/parse.ts';
import { display } from './template/values.ts';
import { alignColumns } from './table.ts';

/** A placeholder of a list command: `.ID`. A value that is a function is called with arguments: `.Label "x"`. */
export interface Field<T> {
  /** Column header: CONTAINER ID. */
  header: string;
  value: (row: T) => unknown;
  /** Left out of `json`, as docker does for methods. */
  notInJson?: boolean;
}

export interface ListFormat<T> {
  fields: Readonly<Record<string, Field<T>>>;
  /** What is printed without --format: `table {{.ID}}\t{{.Names}}`. */
  table: string;
}

/**
 * The lines of a list command (ps, images, …). format: what the user gave, undefined or '' for the table; 'json': one object
 * per line, every value a string, as docker prints it. noHeading leaves the table's header out.
 * @throws USAGE for a bad template or an unknown field
 */
export function formatList<T>(
  rows: readonly T[],
  list: ListFormat<T>,
  format?: string,
  { noHeading = false }: { noHeading?: boolean } = {},
): string[] {
  const wanted = (format === undefined || format === '' ? list.table : format).trim();
  if (wanted === 'json' || wanted === '{{json .}}')
    return rows.map((row) => JSON.stringify(jsonRow(row, list.fields)));
  const isTable = /^table(\s|$)/.test(wanted);
  const body = wanted.replace(/^table\s*/, '');
  const source = unescape(isTable ? (body === '' ? list.table.replace(/^table\s*/, '') : body) : wanted);
  const template = plainTemplate(source, list.fields) ?? interpretedTemplate(source, list.fields);
  // Made also where it is not shown: an unknown field is an error even when there is no row to find it in.
  const header = isTable || rows.length === 0 ? template.header() : '';
  const lines = rows.map(template.line);
  if (!isTable) return lines;
  return alignColumns(noHeading ? lines : [header, ...lines]);
}

/**
 * The lines of an inspect-like command. Without format: one indented JSON array; 'json': one compact line per value;
 * else the template, once per value.
 */
export function formatInspect(values: readonly unknown[], format?: string): string[] {
  if (format === undefined || format === '') return [JSON.stringify(values, null, 4)];
  if (format.trim() === 'json') return values.map((value) => JSON.stringify(value));
  const nodes = parseTemplate(unescape(format));
  return values.map((value) => evaluate(nodes, value));
}

/**
 * For values that come one by one: the template is parsed once. `json` stands for `{{json .}}`, and `json` is that function.
 * @throws USAGE for a bad template; the result for an unknown field
 */
export function lineFormatter(format: string, json: (value: unknown) => string): (value: unknown) => string {
  if (format.trim() === 'json') return json;
  const nodes = parseTemplate(unescape(format));
  return (value) => evaluate(nodes, value, { functions: { json } });
}

/** One object (version, info): text is printed without --format. */
export function formatObject(value: unknown, format: string | undefined, text: () => string): string {
  if (format === undefined || format === '') return text();
  return formatInspect([value], format)[0] as string;
}

/** Shells pass '\t' as two characters; docker turns them into one. */
function unescape(template: string): string {
  return template.replaceAll('\\t', '\t').replaceAll('\\n', '\n');
}

interface ListTemplate<T> {
  header: () => string;
  line: (row: T) => string;
}

const PLAIN_FIELD = /\{\{\s*\.([A-Za-z]+)\s*\}\}/;

/** Texts and fields, as nearly every template is: filled in as it stands. undefined for any other. */
function plainTemplate<T>(source: string, fields: ListFormat<T>['fields']): ListTemplate<T> | undefined {
  const parts = source.split(PLAIN_FIELD); // text, name, text, …, text
  if (!parts.every((part, i) => (i % 2 === 0 ? !part.includes('{{') : Object.hasOwn(fields, part))))
    return undefined;
  const fill = (valueOf: (name: string) => unknown): string => {
    let line = parts[0] as string;
    for (let i = 1; i < parts.length; i += 2)
      line += shown(valueOf(parts[i] as string)) + (parts[i + 1] as string);
    return line;
  };
  return {
    header: () => fill((name) => headerOf(name, fields)),
    line: (row) => fill((name) => (fields[name] as Field<T>).value(row)),
  };
}

function shown(value: unknown): string {
  return display(typeof value === 'function' ? (value as () => unknown)() : value);
}

/** Fields are computed when the template asks for them: a size may cost a walk over a tree. */
function interpretedTemplate<T>(source: string, fields: ListFormat<T>['fields']): ListTemplate<T> {
  const nodes = parseTemplate(source);
  let current: T;
  const view: Record<string, unknown> = {}; // of each row in turn
  for (const [name, field] of Object.entries(fields)) {
    Object.defineProperty(view, name, { enumerable: true, get: () => field.value(current) });
  }
  return {
    header: () => evaluate(nodes, headerView(fields), { functions: HEADER_FUNCTIONS }),
    line(row) {
      current = row;
      return evaluate(nodes, view);
    },
  };
}

function jsonRow<T>(row: T, fields: ListFormat<T>['fields']): Record<string, string> {
  const out: Record<string, string> = {};
  for (const [name, field] of Object.entries(fields)) {
    if (field.notInJson === true) continue;
    const value = field.value(row);
    if (typeof value !== 'function')
      out[name] = typeof value === 'string' ? value : JSON.stringify(value ?? '');
  }
  return out;
}

function headerView<T>(fields: ListFormat<T>['fields']): Record<string, unknown> {
  const view: Record<string, unknown> = {};
  for (const name of Object.keys(fields)) view[name] = headerOf(name, fields);
  return view;
}

/** `.Label "com.example.some-name"` heads its column with the last part of the key: some name. */
function headerOf<T>(name: string, fields: ListFormat<T>['fields']): unknown {
  return name === 'Label' ? labelHeader : fields[name]?.header;
}

function labelHeader(key: unknown): string {
  return String(key).split('.').at(-1)?.replace(/[-_]/g, ' ') ?? '';
}

/** In the header row these leave the header as it is: `{{json .ID}}` is headed CONTAINER ID. */
const HEADER_FUNCTIONS = Object.fromEntries(
  ['json', 'join', 'split', 'lower', 'upper', 'title', 'pad', 'truncate', 'slice'].map((name) => [
    name,
    (value: unknown) => value,
  ]),
);
