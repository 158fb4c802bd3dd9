// What a command is: plain data plus a handler. Two readers use the same data: the cheap parser of the hot path
// (parse.ts) and yargs, which serves help, completion and suggestions (help.ts). No command is known here.

import type { Context } from './context.ts';

interface FlagBase {
  /** One lower-case phrase without a full stop. */
  help: string;
  /** One-letter form without the dash. */
  short?: string;
  /** Other long spellings that are accepted but not listed (docker's or podman's). */
  aliases?: readonly string[];
  /** Accepted, never listed in help. */
  hidden?: boolean;
}

export interface BooleanFlag extends FlagBase {
  type: 'boolean';
  /** `--flag`, `--flag=true|false|1|0|t|f` */
  default?: boolean;
}

export interface StringFlag extends FlagBase {
  type: 'string';
  /** Name of the value in help: `--name NAME`. */
  value: string;
  default?: string;
  choices?: readonly string[];
  /** `--flag` alone means this value; a value then needs `=`: `--plan`, `--plan=json`. */
  bare?: string;
  /** Given again with another value it is an error, instead of the last one winning. */
  once?: boolean;
}

export interface NumberFlag extends FlagBase {
  type: 'number';
  value: string;
  default?: number;
}

/** May be given several times. */
export interface ListFlag extends FlagBase {
  type: 'list';
  value: string;
  /** docker splits some lists at commas (--cap-add does not, --platform of build does). */
  commaSeparated?: boolean;
}

export type Flag = BooleanFlag | StringFlag | NumberFlag | ListFlag;
export type Flags = Readonly<Record<string, Flag>>;

/** The value type of a flag: optional unless it has a default; lists are never undefined. */
export type FlagValue<F extends Flag> = F extends { type: 'boolean' }
  ? F extends { default: boolean }
    ? boolean
    : boolean | undefined
  : F extends { type: 'number' }
    ? F extends { default: number }
      ? number
      : number | undefined
    : F extends { type: 'list' }
      ? string[]
      : F extends { default: string }
        ? string
        : string | undefined;

export type FlagValues<F extends Flags> = { -readonly [K in keyof F]: FlagValue<F[K]> };

export interface Invocation<F extends Flags> {
  args: string[];
  /** Keys exactly as declared: `flags['cap-add']`. */
  flags: FlagValues<F>;
  cx: Context;
}

export interface CommandSpec<F extends Flags = Flags> {
  /** `run`, or `image inspect` for verbs that exist only below a noun. */
  name: string;
  /** The noun it also answers to: `container` makes `container run` work. */
  group?: 'container' | 'image' | 'system' | 'volume' | 'network' | 'builder';
  /** Other whole names: `['image ls', 'image list']`. */
  aliases?: readonly string[];
  summary: string;
  /** Positional arguments for the usage line: `IMAGE [COMMAND] [ARG...]`. */
  args: string;
  /** How many positionals are accepted; checked before `run` is called. */
  minArgs?: number;
  maxArgs?: number;
  /** Everything after the first positional belongs to the container: `run`, `exec`, `create`. */
  stopAtFirstArg?: boolean;
  hidden?: boolean;
  flags: F;
  examples?: readonly string[];
  /** Longer text for help, paragraphs separated by empty lines. */
  description?: string;
  /** Returns the exit status. Never calls process.exit. */
  run(invocation: Invocation<F>): Promise<number> | number;
}

/** What the generated table (src/commands/index.ts) says of a command without loading it. */
export interface CommandEntry {
  summary: string;
  group?: CommandSpec['group'];
  hidden?: boolean;
  load: () => Promise<{ default: CommandSpec }>;
}

export type CommandTable = Readonly<Record<string, CommandEntry>>;

/** Identity; infers the flags' types for `run`. */
export function defineCommand<const F extends Flags>(spec: CommandSpec<F>): CommandSpec<F> {
  return spec;
}
