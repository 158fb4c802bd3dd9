// The second reader of the command table: yargs, for completion. A test runs it and parse.ts over the same argument
// lists, so that the table cannot mean two things. yargs takes 15 ms to load: never import this from the hot path.

import yargs, { type Argv, type Options } from 'yargs';
import type { CommandSpec, Flag, Flags } from './command.ts';
import { GLOBAL_FLAGS } from './parse.ts';

/** A yargs parser of the command's flags that neither prints nor exits. */
export function yargsFor(spec: Pick<CommandSpec, 'flags' | 'stopAtFirstArg'>): Argv {
  return withFlags(yargs([]), { ...GLOBAL_FLAGS, ...spec.flags })
    .parserConfiguration({
      'boolean-negation': false,
      'camel-case-expansion': false,
      'dot-notation': false,
      'duplicate-arguments-array': true,
      'flatten-duplicate-arrays': true,
      'greedy-arrays': false,
      'parse-positional-numbers': false,
      'parse-numbers': true,
      'short-option-groups': true,
      'strip-aliased': true,
      'halt-at-non-option': spec.stopAtFirstArg === true,
      'populate--': false,
    })
    .help(false)
    .version(false)
    .exitProcess(false);
}

function withFlags(parser: Argv, flags: Flags): Argv {
  for (const [name, flag] of Object.entries(flags)) parser.option(name, optionOf(flag));
  return parser;
}

function optionOf(flag: Flag): Options {
  const alias = [...(flag.short === undefined ? [] : [flag.short]), ...(flag.aliases ?? [])];
  const common: Options = { describe: flag.help, hidden: flag.hidden === true, alias };
  switch (flag.type) {
    case 'boolean':
      return { ...common, boolean: true, ...(flag.default === undefined ? {} : { default: flag.default }) };
    case 'number':
      return {
        ...common,
        number: true,
        requiresArg: true,
        ...(flag.default === undefined ? {} : { default: flag.default }),
      };
    case 'list':
      return {
        ...common,
        string: true,
        array: true,
        default: [],
        ...(flag.commaSeparated === true
          ? { coerce: (values: string[]) => values.flatMap((text) => text.split(',')) }
          : {}),
      };
    case 'string':
      return {
        ...common,
        string: true,
        ...(flag.choices === undefined ? {} : { choices: flag.choices }),
        ...(flag.default === undefined ? {} : { default: flag.default }),
      };
  }
}
