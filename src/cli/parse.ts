// argv → { args, flags } for one command, by the rules of pflag, which docker and podman use: `-it` bundles, `-p8080:80`,
// `--flag=v`, `--flag v`, `--bool=false`, repeated lists, `--`. This is the parser of the hot path, so it is small and
// loads nothing; the yargs reader of the same table (yargs.ts) is compared with it by a test. Pure.

import { EngineError } from '../core/errors.ts';
import { nearest } from '../core/nearest.ts';
import type { CommandSpec, Flag, Flags } from './command.ts';

export type FlagMap = Record<string, boolean | string | number | string[] | undefined>;

export interface Parsed {
  args: string[];
  /** Keys as declared; lists are [] when not given, others their default or undefined. */
  flags: FlagMap;
  /** Flags of the frame (--root, --debug), which are accepted before and after the command's name. */
  globals: FlagMap;
  /** --help, or -h where the command has no -h of its own. Nothing has been checked then. */
  help: boolean;
}

/** Flags that every command understands. */
export const GLOBAL_FLAGS = {
  root: { type: 'string', value: 'DIR', help: 'directory of the store' },
  config: { type: 'string', value: 'FILE', help: 'configuration file to read instead of skiff.conf' },
  debug: { type: 'boolean', help: 'print debug notes, and stacks of errors, on stderr' },
} as const satisfies Flags;

/** @throws USAGE naming the flag or argument, with the nearest flag and the way to the help as hint */
export function parseCommand(spec: CommandSpec, argv: readonly string[]): Parsed {
  const parser = new Parser(spec);
  parser.walk(argv);
  if (!parser.result.help) checkCount(spec, parser.result.args.length);
  return parser.result;
}

/** The flags before the command's name; `rest` begins with that name. */
export function parseGlobals(argv: readonly string[]): {
  globals: FlagMap;
  rest: readonly string[];
  help: boolean;
  version: boolean;
} {
  const spec = { ...FRAME, flags: FRAME.flags } satisfies CommandSpec;
  const { args, flags, globals, help } = parseCommand(spec, argv);
  return { globals, rest: args, help, version: flags['version'] === true };
}

const FRAME: CommandSpec = {
  name: '',
  summary: '',
  args: 'COMMAND',
  stopAtFirstArg: true,
  flags: { version: { type: 'boolean', short: 'v', help: 'print the version' } },
  run: () => 0,
};

class Parser {
  readonly result: Parsed;
  readonly #spec: CommandSpec;

  constructor(spec: CommandSpec) {
    this.#spec = spec;
    const flags: FlagMap = {};
    for (const name in spec.flags) flags[name] = initial(spec.flags[name] as Flag);
    this.result = { args: [], flags, globals: {}, help: false };
  }

  walk(argv: readonly string[]): void {
    const { args } = this.result;
    for (let i = 0; i < argv.length; i++) {
      const word = argv[i] as string;
      if (word === '--') {
        args.push(...argv.slice(i + 1));
        return;
      }
      if (word.length < 2 || word[0] !== '-') {
        if (this.#spec.stopAtFirstArg === true) {
          args.push(...argv.slice(i));
          return;
        }
        args.push(word);
      } else {
        i += word[1] === '-' ? this.#long(word, argv[i + 1]) : this.#shorts(word, argv[i + 1]);
      }
      if (this.result.help) return;
    }
  }

  /** @returns how many further words were used up: 0 or 1 */
  #long(word: string, next: string | undefined): number {
    const equals = word.indexOf('=');
    const typed = equals === -1 ? word.slice(2) : word.slice(2, equals);
    const name = this.#resolve(typed);
    if (name === undefined) {
      if (typed === 'help') {
        this.result.help = true;
        return 0;
      }
      throw this.#unknown(`--${typed}`);
    }
    const flag = this.#flag(name);
    if (equals !== -1) {
      this.#set(name, flag, word.slice(equals + 1), `--${typed}`);
      return 0;
    }
    const bare = withoutValue(flag);
    if (bare !== undefined) {
      this.#set(name, flag, bare, `--${typed}`);
      return 0;
    }
    if (next === undefined) throw this.#usage(`flag --${typed} needs a value`);
    this.#set(name, flag, next, `--${typed}`);
    return 1;
  }

  /** `-abc`: flags without a value one after the other, the last may take the rest or the next word. */
  #shorts(word: string, next: string | undefined): number {
    for (let at = 1; at < word.length; at++) {
      const letter = word[at] as string;
      const name = this.#short(letter);
      if (name === undefined) {
        if (letter === 'h') {
          this.result.help = true;
          return 0;
        }
        throw this.#unknown(`-${letter}`, word);
      }
      const flag = this.#flag(name);
      const rest = word.slice(at + 1);
      if (rest.startsWith('=')) {
        this.#set(name, flag, rest.slice(1), `-${letter}`);
        return 0;
      }
      const bare = withoutValue(flag);
      if (bare !== undefined) {
        this.#set(name, flag, bare, `-${letter}`);
        continue;
      }
      if (rest !== '') {
        this.#set(name, flag, rest, `-${letter}`);
        return 0;
      }
      if (next === undefined) throw this.#usage(`flag -${letter} needs a value`);
      this.#set(name, flag, next, `-${letter}`);
      return 1;
    }
    return 0;
  }

  #resolve(typed: string): string | undefined {
    const { flags } = this.#spec;
    if (Object.hasOwn(flags, typed)) return typed;
    for (const name in flags) if (flags[name]?.aliases?.includes(typed) === true) return name;
    return Object.hasOwn(GLOBAL_FLAGS, typed) ? typed : undefined;
  }

  #short(letter: string): string | undefined {
    const { flags } = this.#spec;
    for (const name in flags) if (flags[name]?.short === letter) return name;
    return undefined;
  }

  #flag(name: string): Flag {
    return this.#spec.flags[name] ?? GLOBAL_FLAGS[name as keyof typeof GLOBAL_FLAGS];
  }

  #set(name: string, flag: Flag, text: string, typed: string): void {
    const values = this.#spec.flags[name] === undefined ? this.result.globals : this.result.flags;
    if (flag.type === 'list') {
      const items = flag.commaSeparated === true ? text.split(',') : [text];
      (values[name] as string[]).push(...items);
    } else if (flag.type === 'boolean') {
      const value = parseBoolean(text);
      if (value === undefined)
        throw this.#usage(`flag ${typed}: ${JSON.stringify(text)} is neither true nor false`);
      values[name] = value;
    } else if (flag.type === 'number') {
      if (!/^[+-]?(\d+\.?\d*|\.\d+)$/.test(text))
        throw this.#usage(`flag ${typed}: ${JSON.stringify(text)} is not a number`);
      values[name] = Number(text);
    } else {
      if (flag.choices !== undefined && !flag.choices.includes(text)) {
        throw this.#usage(`flag ${typed}: ${JSON.stringify(text)} is none of ${flag.choices.join(', ')}`);
      }
      const before = values[name];
      if (flag.once === true && before !== undefined && before !== text) {
        throw this.#usage(
          `flag ${typed}: conflicting values ${JSON.stringify(before)} and ${JSON.stringify(text)}`,
        );
      }
      values[name] = text;
    }
  }

  #unknown(typed: string, word = typed): EngineError {
    const inWord = word === typed ? '' : ` in ${JSON.stringify(word)}`;
    const near = nearestFlag(this.#spec, word);
    return usageError(this.#spec, `unknown flag ${typed}${inWord}`, near);
  }

  #usage(text: string): EngineError {
    return usageError(this.#spec, text);
  }
}

export function usageError(spec: Pick<CommandSpec, 'name'>, text: string, near?: string): EngineError {
  const command = spec.name === '' ? 'skiff' : `skiff ${spec.name}`;
  const hint = `${near === undefined ? '' : `did you mean ${near}? `}see "${command} --help"`;
  return new EngineError('USAGE', `${command}: ${text}`, { hint });
}

function initial(flag: Flag): FlagMap[string] {
  return flag.type === 'list' ? [] : flag.default;
}

/** What the flag means when no value follows, undefined when it needs one. */
function withoutValue(flag: Flag): string | undefined {
  return flag.type === 'boolean' ? 'true' : flag.type === 'string' ? flag.bare : undefined;
}

/** Go's strconv.ParseBool, since scripts pass all of these to docker. */
function parseBoolean(text: string): boolean | undefined {
  if (/^(1|t|T|true|TRUE|True)$/.test(text)) return true;
  return /^(0|f|F|false|FALSE|False)$/.test(text) ? false : undefined;
}

function checkCount(spec: CommandSpec, count: number): void {
  const { minArgs = 0, maxArgs = Infinity } = spec;
  if (count >= minArgs && count <= maxArgs) return;
  const bound = count < minArgs ? minArgs : maxArgs;
  const kind = minArgs === maxArgs ? 'exactly' : count < minArgs ? 'at least' : 'at most';
  const wanted =
    bound === 0 ? 'takes no arguments' : `needs ${kind} ${bound} argument${bound === 1 ? '' : 's'}`;
  throw usageError(spec, `${wanted} (${spec.args || 'none'}), got ${count}`);
}

function nearestFlag(spec: CommandSpec, typed: string): string | undefined {
  const names = [...Object.keys(spec.flags), ...Object.keys(GLOBAL_FLAGS), 'help'];
  const visible = names.filter((name) => spec.flags[name]?.hidden !== true);
  // -rm, -name: one dash too few.
  if (typed[1] !== '-') return visible.includes(typed.slice(1)) ? `--${typed.slice(1)}` : undefined;
  const name = nearest(typed.slice(2), visible);
  return name === undefined ? undefined : `--${name}`;
}
