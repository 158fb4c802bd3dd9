// Runs a parsed template over a value. Pure: functions get values and give values.

import type { Node, Operand, Pipe } from './ast.ts';
import { FUNCTIONS, type TemplateFunction } from './functions.ts';
import { templateError } from './lex.ts';
import { display, isTrue, typeName } from './values.ts';

export interface EvaluateOptions {
  /** Replacements of FUNCTIONS by name. */
  functions?: Readonly<Record<string, TemplateFunction>>;
}

/** @throws USAGE: an unknown field (with the known ones), an unknown function, a wrong argument */
export function evaluate(nodes: readonly Node[], root: unknown, { functions }: EvaluateOptions = {}): string {
  return new Evaluator(root, functions === undefined ? FUNCTIONS : { ...FUNCTIONS, ...functions }).run(nodes);
}

/**
 * Fields whose keys come from users: a key that is missing there is empty, while a missing field of anything else is a
 * slip of the pen. (In Go the types tell; here the names of docker's inspect output do.)
 */
const MAP_FIELDS = new Set([
  'Labels',
  'Annotations',
  'Attributes',
  'Ports',
  'PortBindings',
  'ExposedPorts',
  'Volumes',
  'Networks',
  'Sysctls',
  'Options',
  'Tmpfs',
  'Containers',
]);

type Flow = 'break' | 'continue' | undefined;

class Evaluator {
  readonly #root: unknown;
  readonly #functions: Readonly<Record<string, TemplateFunction>>;
  /** Innermost scope last. */
  readonly #scopes: Map<string, unknown>[];
  #out = '';

  constructor(root: unknown, functions: Readonly<Record<string, TemplateFunction>>) {
    this.#root = root;
    this.#functions = functions;
    this.#scopes = [new Map([['$', root]])];
  }

  run(nodes: readonly Node[]): string {
    this.#list(nodes, this.#root);
    return this.#out;
  }

  #list(nodes: readonly Node[], dot: unknown): Flow {
    for (const node of nodes) {
      const flow = this.#node(node, dot);
      if (flow !== undefined) return flow;
    }
    return undefined;
  }

  #node(node: Node, dot: unknown): Flow {
    switch (node.kind) {
      case 'text':
        this.#out += node.text;
        return undefined;
      case 'print': {
        const value = this.#pipe(node.pipe, dot);
        if (node.pipe.variables.length === 0) this.#out += display(value);
        return undefined;
      }
      case 'break':
      case 'continue':
        return node.kind;
      case 'if':
      case 'with':
        return this.#scoped(() => {
          const value = this.#pipe(node.pipe, dot);
          return isTrue(value)
            ? this.#list(node.body, node.kind === 'with' ? value : dot)
            : this.#list(node.otherwise, dot);
        });
      case 'range':
        return this.#scoped(() => this.#range(node, dot));
    }
  }

  #scoped(body: () => Flow): Flow {
    this.#scopes.push(new Map());
    try {
      return body();
    } finally {
      this.#scopes.pop();
    }
  }

  #range(node: Extract<Node, { kind: 'range' }>, dot: unknown): Flow {
    const entries = entriesOf(this.#pipe({ ...node.pipe, variables: [] }, dot));
    if (entries.length === 0) return this.#list(node.otherwise, dot);
    const { variables, declares } = node.pipe;
    for (const [key, item] of entries) {
      const flow = this.#scoped(() => {
        const values = variables.length === 2 ? [key, item] : [item];
        variables.forEach((name, i) => this.#assign(name, values[i], declares));
        return this.#list(node.body, item);
      });
      if (flow === 'break') break;
    }
    return undefined;
  }

  #pipe(pipe: Pipe, dot: unknown): unknown {
    let value: unknown;
    pipe.commands.forEach((command, i) => {
      value = this.#command(command, dot, i === 0 ? [] : [value]);
    });
    for (const name of pipe.variables) this.#assign(name, value, pipe.declares);
    return value;
  }

  #assign(name: string, value: unknown, declares: boolean): void {
    const scope = declares ? this.#scopes.at(-1) : this.#scopes.findLast((candidate) => candidate.has(name));
    if (scope === undefined) throw templateError(`undefined variable "${name}"`);
    scope.set(name, value);
  }

  /** piped: the result of the command before, as last argument. */
  #command(command: readonly Operand[], dot: unknown, piped: unknown[]): unknown {
    const [head, ...rest] = command as [Operand, ...Operand[]];
    if (head.kind === 'function' && (head.name === 'and' || head.name === 'or')) {
      return this.#shortCircuit(head.name, rest, dot, piped);
    }
    const callee = head.kind === 'function' ? this.#function(head.name) : this.#value(head, dot);
    const args = [...rest.map((operand) => this.#value(operand, dot)), ...piped];
    if (typeof callee === 'function') return (callee as TemplateFunction)(...args);
    if (args.length > 0) throw templateError(`${shownOperand(head)} is no function and takes no arguments`);
    return callee;
  }

  #shortCircuit(name: 'and' | 'or', operands: readonly Operand[], dot: unknown, piped: unknown[]): unknown {
    let value: unknown;
    for (const operand of operands) {
      value = this.#value(operand, dot);
      if (isTrue(value) === (name === 'or')) return value;
    }
    return piped.length > 0 ? piped[0] : value;
  }

  #function(name: string): TemplateFunction {
    const found = Object.hasOwn(this.#functions, name) ? this.#functions[name] : undefined;
    if (found !== undefined) return found;
    const known = ['and', 'or', ...Object.keys(this.#functions)].sort().join(', ');
    throw templateError(`function "${name}" not defined; known: ${known}`);
  }

  #value(operand: Operand, dot: unknown): unknown {
    switch (operand.kind) {
      case 'literal':
        return operand.value;
      case 'field':
        return follow(dot, operand.path);
      case 'variable': {
        const scope = this.#scopes.findLast((candidate) => candidate.has(operand.name));
        if (scope === undefined) throw templateError(`undefined variable "${operand.name}"`);
        return follow(scope.get(operand.name), operand.path);
      }
      case 'pipe':
        return follow(this.#pipe(operand.pipe, dot), operand.path);
      case 'function':
        return operand.name === 'and' || operand.name === 'or'
          ? this.#shortCircuit(operand.name, [], dot, [])
          : this.#function(operand.name)();
    }
  }
}

function follow(start: unknown, path: readonly string[]): unknown {
  let value = start;
  path.forEach((name, i) => {
    value = field(value, name, i === 0 ? undefined : path[i - 1]);
  });
  return value;
}

function field(value: unknown, name: string, parent: string | undefined): unknown {
  if (value instanceof Map) return value.get(name) as unknown;
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'object' || Array.isArray(value))
    throw templateError(`".${name}": ${typeName(value)} has no fields`);
  const record = value as Record<string, unknown>;
  if (Object.hasOwn(record, name)) return record[name];
  if (parent !== undefined && MAP_FIELDS.has(parent)) return undefined;
  // docker answers to .ID and .Id alike, since its Go names and its JSON names differ in case.
  const alike = Object.keys(record).find((key) => key.toLowerCase() === name.toLowerCase());
  if (alike !== undefined) return record[alike];
  throw templateError(`unknown field ".${name}"; known: ${Object.keys(record).join(', ')}`);
}

function entriesOf(value: unknown): [key: unknown, item: unknown][] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value.map((item, i) => [i, item]);
  if (typeof value === 'number') return Array.from({ length: Math.max(0, value) }, (_, i) => [i, i]);
  if (value instanceof Map) return [...value.entries()].sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
  if (typeof value === 'object') return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  throw templateError(`range cannot go over ${typeName(value)}`);
}

function shownOperand(operand: Operand): string {
  return operand.kind === 'field' ? `".${operand.path.join('.')}"` : 'the value';
}
