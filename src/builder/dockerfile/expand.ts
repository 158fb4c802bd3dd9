// Quotes, escapes and variables of one word (Dockerfile reference, "Environment replacement"; the details as BuildKit's
// shell lexer has them). No commands, no arithmetic, no globbing. (pure)

import { Mistake, quoteShort } from './errors.ts';
import { replace, trimPrefix, trimSuffix } from './glob.ts';

export type Env = ReadonlyMap<string, string>;

export interface Expansion {
  text: string;
  /** `text` cut at unquoted blanks, also those that came out of a variable (EXPOSE $PORTS). */
  words: string[];
  /** Variables that were looked up and had a value; cache keys and their explanations need them. */
  used: Set<string>;
  /** Those that had none. */
  missing: Set<string>;
}

export interface ExpandOptions {
  /** Of the escape directive; a backslash if not given. */
  escape?: string | undefined;
  /** The body of a heredoc: quotes are text, the escape character is always a backslash. */
  heredoc?: boolean | undefined;
}

/** What a word may become, beyond its own length. An environment variable holds 128 KiB at most (execve(2)). */
const MAX_VALUES = 2 ** 20;
/** `${A:-${B:-…}}` */
const MAX_DEPTH = 50;
const END = '';

/**
 * @throws Mistake 'failed to process "…": …' for a quote or brace that is not closed, an unknown modifier, `${X:?message}`
 * without a value, and for words that grow or nest beyond all sense.
 */
export function expandWord(word: string, env: Env, options: ExpandOptions = {}): Expansion {
  const expander = new Expander(word, env, options);
  try {
    return expander.run();
  } catch (error) {
    if (!(error instanceof Mistake)) throw error;
    throw new Mistake(`failed to process ${quoteShort(word)}: ${error.message}`);
  }
}

class Expander {
  private readonly word: string;
  private readonly env: Env;
  private readonly escape: string;
  private readonly quotes: boolean;
  private readonly used = new Set<string>();
  private readonly missing = new Set<string>();
  private at = 0;
  private depth = 0;
  private grown = 0;

  constructor(word: string, env: Env, { escape = '\\', heredoc = false }: ExpandOptions) {
    this.word = word;
    this.env = env;
    this.escape = heredoc ? '\\' : escape;
    this.quotes = !heredoc;
  }

  run(): Expansion {
    const out = new Words();
    this.readUntil(END, false, out);
    return { text: out.text(), words: out.words(), used: this.used, missing: this.missing };
  }

  /** Reads up to and over `stop`. keepEscapes: the result is a pattern, in which they mean something. */
  private readUntil(stop: string, keepEscapes: boolean, out: Words): void {
    for (;;) {
      const unit = this.peek();
      if (unit === stop) {
        this.at += stop.length;
        return;
      }
      if (unit === END) throw new Mistake(`syntax error: missing '${stop}'${stop === '/' ? ' in ${}' : ''}`);
      if (unit === '$') out.value(this.dollar());
      else if (this.quotes && unit === "'") out.quoted(this.singleQuoted());
      else if (this.quotes && unit === '"') out.quoted(this.doubleQuoted(keepEscapes));
      else if (unit === this.escape) {
        this.at++;
        if (keepEscapes) out.quoted(unit);
        out.quoted(this.next());
      } else out.plain(this.next());
    }
  }

  private singleQuoted(): string {
    const end = this.word.indexOf("'", this.at + 1);
    if (end < 0) {
      throw new Mistake('unexpected end of statement while looking for matching single-quote');
    }
    const text = this.word.slice(this.at + 1, end);
    this.at = end + 1;
    return text;
  }

  /** Escapes `"`, `$` and the escape character; before anything else it stays. */
  private doubleQuoted(keepEscapes: boolean): string {
    const out: string[] = [];
    this.at++;
    for (;;) {
      const unit = this.peek();
      if (unit === END) {
        throw new Mistake('unexpected end of statement while looking for matching double-quote');
      }
      if (unit === '$') out.push(this.dollar());
      else if (unit === '"') {
        this.at++;
        return out.join('');
      } else if (unit === this.escape) {
        this.at++;
        const escaped = this.peek();
        if (keepEscapes) out.push(unit);
        if (escaped === '"' || escaped === '$' || escaped === this.escape) out.push(this.next());
        else if (escaped !== END) out.push(unit);
      } else out.push(this.next());
    }
  }

  private dollar(): string {
    this.at++;
    if (this.peek() !== '{') {
      const name = this.name();
      return name === '' ? '$' : this.grow(this.look(name) ?? '');
    }
    this.at++;
    if (this.peek() === END) throw new Mistake("syntax error: missing '}'");
    if (['{', '}', ':'].includes(this.peek())) throw new Mistake('syntax error: bad substitution');
    if (++this.depth > MAX_DEPTH) throw new Mistake('substitutions are nested too deeply');
    const text = this.braces(this.name());
    this.depth--;
    return this.grow(text);
  }

  /** Behind `${NAME`. */
  private braces(name: string): string {
    let modifier = this.next();
    if (modifier === '}') return this.look(name) ?? '';
    if (modifier === END) throw new Mistake("syntax error: missing '}'");
    const emptyIsUnset = modifier === ':';
    if (emptyIsUnset) modifier = this.next();
    switch (modifier) {
      case '-':
      case '+':
      case '?':
        return this.conditional(name, modifier, emptyIsUnset, this.sub('}', false));
      case '#':
      case '%':
        if (emptyIsUnset) break;
        return this.trim(name, modifier, this.sub('}', true));
      case '/': {
        if (emptyIsUnset) break;
        const all = this.peek() === '/';
        if (all) this.at++;
        const pattern = this.sub('/', true);
        const replacement = this.sub('}', true);
        return replace(this.look(name) ?? '', pattern, replacement, all);
      }
    }
    throw new Mistake(`unsupported modifier (${emptyIsUnset ? ':' : ''}${modifier}) in substitution`);
  }

  private conditional(name: string, modifier: '-' | '+' | '?', emptyIsUnset: boolean, word: string): string {
    const value = this.look(name);
    const isSet = value !== undefined && !(emptyIsUnset && value === '');
    if (modifier === '+') return isSet ? word : '';
    if (isSet) return value;
    if (modifier === '-') return word;
    const fallback = value === undefined ? 'is not allowed to be unset' : 'is not allowed to be empty';
    throw new Mistake(`${name}: ${word === '' ? fallback : word}`);
  }

  private trim(name: string, modifier: '#' | '%', word: string): string {
    const value = this.look(name) ?? '';
    const longest = word.startsWith(modifier);
    const pattern = longest ? word.slice(1) : word;
    return modifier === '#' ? trimPrefix(value, pattern, longest) : trimSuffix(value, pattern, longest);
  }

  private sub(stop: string, keepEscapes: boolean): string {
    const out = new Words();
    this.readUntil(stop, keepEscapes, out);
    return out.text();
  }

  /** A name, digits, or one special parameter (which never has a value here). */
  private name(): string {
    const pattern = /\p{Nd}+|[@*#?\-$!]|[\p{L}\p{Nd}_]+/uy;
    pattern.lastIndex = this.at;
    const name = pattern.exec(this.word)?.[0] ?? '';
    this.at += name.length;
    return name;
  }

  private look(name: string): string | undefined {
    const value = this.env.get(name);
    (value === undefined ? this.missing : this.used).add(name);
    return value;
  }

  private grow(text: string): string {
    this.grown += text.length;
    if (this.grown > MAX_VALUES + this.word.length) throw new Mistake('the result is too long');
    return text;
  }

  private peek(): string {
    return this.word[this.at] ?? END;
  }

  private next(): string {
    return this.word[this.at++] ?? END;
  }
}

/** Collects a text, and the words it falls into. */
class Words {
  private readonly parts: string[] = [];
  private readonly done: string[] = [];
  private word: string[] = [];

  plain(unit: string): void {
    this.parts.push(unit);
    if (/\s/.test(unit)) this.endWord();
    else this.word.push(unit);
  }

  quoted(text: string): void {
    this.parts.push(text);
    this.word.push(text);
  }

  /** Of a variable outside of quotes: its blanks part words. */
  value(text: string): void {
    this.parts.push(text);
    const [first = '', ...rest] = text.split(/\s+/);
    this.word.push(first);
    for (const piece of rest) {
      this.endWord();
      this.word.push(piece);
    }
  }

  text(): string {
    return this.parts.join('');
  }

  words(): string[] {
    this.endWord();
    return this.done;
  }

  private endWord(): void {
    const word = this.word.join('');
    if (word !== '') this.done.push(word);
    this.word = [];
  }
}
