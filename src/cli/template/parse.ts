// Tokens → tree. Errors name what stands in the way. Pure.

import type { Node, Operand, Pipe } from './ast.ts';
import { lex, templateError, type Token } from './lex.ts';

/** @throws USAGE for what is no template, or uses a part of the language that is not here (define, template, block) */
export function parseTemplate(source: string): Node[] {
  const parser = new Parser(lex(source));
  const { nodes, end } = parser.list();
  if (end !== undefined) throw templateError(`unexpected {{${end}}}`);
  return nodes;
}

type End = 'end' | 'else';

class Parser {
  readonly #tokens: Token[];
  #at = 0;

  constructor(tokens: Token[]) {
    this.#tokens = tokens;
  }

  #peek(): Token | undefined {
    return this.#tokens[this.#at];
  }

  /** Nodes up to {{end}} or {{else…}}, or to the end of the source. After `else` the cursor is behind that word. */
  list(): { nodes: Node[]; end: End | undefined } {
    const nodes: Node[] = [];
    for (let token = this.#peek(); token !== undefined; token = this.#peek()) {
      this.#at++;
      if (token.kind === 'text') {
        nodes.push(token);
        continue;
      }
      const word = this.#peek();
      const keyword = word?.kind === 'word' ? word.name : '';
      if (keyword === 'end' || keyword === 'else') {
        this.#at++;
        if (keyword === 'end') this.#close();
        return { nodes, end: keyword };
      }
      const node = this.#action(keyword);
      if (node !== undefined) nodes.push(node);
    }
    return { nodes, end: undefined };
  }

  #action(keyword: string): Node | undefined {
    switch (keyword) {
      case 'if':
      case 'with':
      case 'range':
        this.#at++;
        return this.#block(keyword);
      case 'break':
      case 'continue':
        this.#at++;
        this.#close();
        return { kind: keyword };
      case 'define':
      case 'template':
      case 'block':
        throw templateError(`{{${keyword}}} is not supported`);
      default: {
        if (this.#peek()?.kind === 'close') throw templateError('missing value for command in {{}}');
        const pipe = this.#pipe();
        this.#close();
        return { kind: 'print', pipe };
      }
    }
  }

  #block(kind: 'if' | 'with' | 'range'): Node {
    const pipe = this.#pipe();
    this.#close();
    const { nodes: body, end } = this.list();
    if (end === undefined) throw templateError(`{{${kind}}} has no {{end}}`);
    return { kind, pipe, body, otherwise: end === 'else' ? this.#otherwise(kind) : [] };
  }

  /** What follows `else`: `{{else if …}}` and `{{else with …}}` share the outer {{end}}. */
  #otherwise(kind: string): Node[] {
    const next = this.#peek();
    if (next?.kind === 'word' && (next.name === 'if' || next.name === 'with')) {
      this.#at++;
      return [this.#block(next.name)];
    }
    this.#close();
    const { nodes, end } = this.list();
    if (end !== 'end') throw templateError(`{{else}} of {{${kind}}} has no {{end}}`);
    return nodes;
  }

  #close(): void {
    const token = this.#tokens[this.#at++];
    if (token?.kind !== 'close') throw templateError(`unexpected ${shown(token)} in an action`);
  }

  #pipe(): Pipe {
    const { variables, declares } = this.#declaration();
    const commands = [this.#command()];
    while (this.#isPunctuation('|')) {
      this.#at++;
      commands.push(this.#command());
    }
    return { variables, declares, commands };
  }

  #declaration(): Pick<Pipe, 'variables' | 'declares'> {
    const start = this.#at;
    const variables: string[] = [];
    for (let token = this.#peek(); token?.kind === 'variable'; token = this.#peek()) {
      variables.push(token.name);
      this.#at++;
      if (this.#isPunctuation(':=') || this.#isPunctuation('=')) {
        const declares = this.#isPunctuation(':=');
        this.#at++;
        return { variables, declares };
      }
      if (!this.#isPunctuation(',')) break;
      this.#at++;
    }
    this.#at = start;
    return { variables: [], declares: false };
  }

  #command(): Operand[] {
    const operands: Operand[] = [];
    for (let operand = this.#operand(); operand !== undefined; operand = this.#operand())
      operands.push(operand);
    if (operands.length === 0) throw templateError(`missing value before ${shown(this.#peek())}`);
    return operands;
  }

  #operand(): Operand | undefined {
    const token = this.#peek();
    if (token === undefined || token.kind === 'close' || token.kind === 'open' || token.kind === 'text')
      return undefined;
    if (token.kind === 'punctuation' && token.text !== '(') return undefined;
    this.#at++;
    switch (token.kind) {
      case 'string':
      case 'number':
        return { kind: 'literal', value: token.value };
      case 'dot':
        return { kind: 'field', path: [] };
      case 'field':
        return { kind: 'field', path: [token.name, ...this.#path()] };
      case 'variable':
        return { kind: 'variable', name: token.name, path: this.#path() };
      case 'word':
        if (token.name === 'true' || token.name === 'false')
          return { kind: 'literal', value: token.name === 'true' };
        return token.name === 'nil'
          ? { kind: 'literal', value: null }
          : { kind: 'function', name: token.name };
      case 'punctuation': {
        const pipe = this.#pipe();
        if (!this.#isPunctuation(')'))
          throw templateError(`unclosed parenthesis before ${shown(this.#peek())}`);
        this.#at++;
        return { kind: 'pipe', pipe, path: this.#path() };
      }
    }
  }

  /** `.B.C` directly after what they belong to. */
  #path(): string[] {
    const path: string[] = [];
    for (let token = this.#peek(); token?.kind === 'field' && token.adjacent; token = this.#peek()) {
      path.push(token.name);
      this.#at++;
    }
    return path;
  }

  #isPunctuation(text: string): boolean {
    const token = this.#peek();
    return token?.kind === 'punctuation' && token.text === text;
  }
}

function shown(token: Token | undefined): string {
  if (token === undefined) return 'the end';
  switch (token.kind) {
    case 'field':
      return `".${token.name}"`;
    case 'variable':
    case 'word':
      return `"${token.name}"`;
    case 'string':
    case 'number':
      return JSON.stringify(token.value);
    case 'punctuation':
      return `"${token.text}"`;
    case 'close':
      return '"}}"';
    default:
      return token.kind;
  }
}
