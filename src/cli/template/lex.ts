// Go template source → tokens (text/template, "Text and spaces" and "Actions"). Pure.

import { EngineError } from '../../core/errors.ts';

export type Token =
  | { kind: 'text'; text: string }
  | { kind: 'open' | 'close' }
  | { kind: 'string'; value: string }
  | { kind: 'number'; value: number }
  /** `.`, `.Name` (adjacent: no space before, so it continues what stands there), `$`, `$name`, word, `|`, `(`, `)`, `,`, `:=`, `=` */
  | { kind: 'dot' }
  | { kind: 'field'; name: string; adjacent: boolean }
  | { kind: 'variable'; name: string }
  | { kind: 'word'; name: string }
  | { kind: 'punctuation'; text: '|' | '(' | ')' | ',' | ':=' | '=' };

export function templateError(message: string): EngineError {
  return new EngineError('USAGE', `reading --format: ${message}`, {
    hint: 'the form is that of Go templates, as in docker: "{{.ID}}\\t{{json .Labels}}", or json',
  });
}

/** @throws USAGE */
export function lex(source: string): Token[] {
  const tokens: Token[] = [];
  let position = 0;
  let trimNext = false;
  while (position < source.length) {
    const start = source.indexOf('{{', position);
    let text = source.slice(position, start === -1 ? source.length : start);
    if (trimNext) text = text.trimStart();
    trimNext = false;
    if (start === -1) {
      if (text !== '') tokens.push({ kind: 'text', text });
      break;
    }
    let inside = start + 2;
    if (/^-\s/.test(source.slice(inside, inside + 2))) {
      text = text.trimEnd();
      inside += 2;
    }
    if (text !== '') tokens.push({ kind: 'text', text });
    const comment = /^\/\*[\s\S]*?\*\/(\s-)?\}\}/.exec(source.slice(inside));
    if (comment !== null) {
      trimNext = comment[1] !== undefined;
      position = inside + comment[0].length;
      continue;
    }
    tokens.push({ kind: 'open' });
    const end = lexAction(source, inside, tokens);
    tokens.push({ kind: 'close' });
    trimNext = end.trim;
    position = end.position;
  }
  return tokens;
}

const STRING = /^"(?:[^"\\\n]|\\.)*"/;
const RAW_STRING = /^`[^`]*`/;
const CHARACTER = /^'(?:[^'\\\n]|\\[^\n])'/u;
const NUMBER = /^[+-]?(?:0[xX][0-9a-fA-F]+|\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+)/;
const FIELD = /^\.[\p{L}_][\p{L}\p{N}_]*/u;
const VARIABLE = /^\$[\p{L}\p{N}_]*/u;
const WORD = /^[\p{L}_][\p{L}\p{N}_]*/u;
const PUNCTUATION = /^(?::=|[|(),=])/;

function lexAction(source: string, from: number, tokens: Token[]): { position: number; trim: boolean } {
  let at = from;
  for (;;) {
    const rest = source.slice(at);
    const close = /^(\s+-)?\}\}/.exec(rest);
    if (close !== null) return { position: at + close[0].length, trim: close[1] !== undefined };
    const space = /^\s+/.exec(rest)?.[0] ?? '';
    if (space !== '') {
      at += space.length;
      continue;
    }
    if (rest === '') throw templateError(`unclosed action in ${JSON.stringify(source)}`);
    const before = source[at - 1] ?? '';
    at += lexOne(rest, at > from && !/[\s|(,=]/.test(before), tokens);
  }
}

/** Adds one token. @returns its length in the source */
function lexOne(rest: string, adjacent: boolean, tokens: Token[]): number {
  let match: RegExpExecArray | null;
  if ((match = STRING.exec(rest)) !== null) tokens.push({ kind: 'string', value: unquote(match[0]) });
  else if ((match = RAW_STRING.exec(rest)) !== null)
    tokens.push({ kind: 'string', value: match[0].slice(1, -1) });
  else if ((match = CHARACTER.exec(rest)) !== null) {
    tokens.push({ kind: 'number', value: unquote(match[0]).codePointAt(0) ?? 0 });
  } else if ((match = FIELD.exec(rest)) !== null)
    tokens.push({ kind: 'field', name: match[0].slice(1), adjacent });
  else if ((match = NUMBER.exec(rest)) !== null) tokens.push({ kind: 'number', value: Number(match[0]) });
  else if (rest.startsWith('.')) {
    tokens.push({ kind: 'dot' });
    return 1;
  } else if ((match = VARIABLE.exec(rest)) !== null) tokens.push({ kind: 'variable', name: match[0] });
  else if ((match = WORD.exec(rest)) !== null) tokens.push({ kind: 'word', name: match[0] });
  else if ((match = PUNCTUATION.exec(rest)) !== null) {
    tokens.push({ kind: 'punctuation', text: match[0] as '|' });
  } else throw templateError(`unexpected ${JSON.stringify(rest.slice(0, 1))} in an action`);
  return match[0].length;
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
};

/** Go's interpreted string and rune literals. */
function unquote(quoted: string): string {
  const pattern = /\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|.)/gs;
  return quoted.slice(1, -1).replace(pattern, (_, escape: string) => {
    if (/^[xuU]./.test(escape))
      return String.fromCodePoint(Math.min(parseInt(escape.slice(1), 16), 0x10ffff));
    if (/^[0-7]{3}$/.test(escape)) return String.fromCodePoint(parseInt(escape, 8));
    return ESCAPES[escape] ?? escape;
  });
}
