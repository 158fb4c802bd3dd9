// One instruction's text → its node. The table of what there is; the longer ones have files of their own. (pure)

import type { ArgInstruction, Instruction, OnbuildInstruction, Pair, Source } from './ast.ts';
import { Mistake, quoteShort } from './errors.ts';
import { parseFlags } from './flags.ts';
import { parseAdd, parseCopy } from './instruction-copy.ts';
import { parseHealthcheck } from './instruction-healthcheck.ts';
import { atLeastOne, commandForm, exactlyOne } from './instruction-input.ts';
import type { InstructionInput } from './instruction-input.ts';
import { parseRun } from './instruction-run.ts';
import { didYouMean } from './suggest.ts';
import { parseJsonWords, splitBlanks, splitFirst, splitInstruction, splitQuoted } from './words.ts';

type Parser = (input: InstructionInput) => Instruction;

/** Instructions that take no flags. */
const withoutFlags =
  (parse: Parser): Parser =>
  (input) => {
    parseFlags(input.flags, {});
    return parse(input);
  };

const PARSERS: Readonly<Record<string, Parser>> = {
  ADD: parseAdd,
  ARG: withoutFlags(parseArg),
  CMD: withoutFlags((input) => ({ ...input.source, kind: 'cmd', command: commandForm(input.rest) })),
  COPY: parseCopy,
  ENTRYPOINT: withoutFlags((input) => ({
    ...input.source,
    kind: 'entrypoint',
    command: commandForm(input.rest),
  })),
  ENV: withoutFlags((input) => ({ ...input.source, kind: 'env', ...parsePairs(input) })),
  EXPOSE: withoutFlags((input) => ({
    ...input.source,
    kind: 'expose',
    ports: splitBlanks(atLeastOne(input)).sort(),
  })),
  HEALTHCHECK: parseHealthcheck,
  LABEL: withoutFlags((input) => ({ ...input.source, kind: 'label', ...parsePairs(input) })),
  MAINTAINER: withoutFlags((input) => ({
    ...input.source,
    kind: 'maintainer',
    maintainer: exactlyOne(input),
  })),
  ONBUILD: withoutFlags(parseOnbuild),
  RUN: parseRun,
  SHELL: withoutFlags(parseShell),
  STOPSIGNAL: withoutFlags((input) => ({ ...input.source, kind: 'stopsignal', signal: exactlyOne(input) })),
  USER: withoutFlags((input) => ({ ...input.source, kind: 'user', user: exactlyOne(input) })),
  VOLUME: withoutFlags(parseVolume),
  WORKDIR: withoutFlags((input) => ({ ...input.source, kind: 'workdir', path: exactlyOne(input) })),
};
const NAMES = [...Object.keys(PARSERS), 'FROM'];

/** Any instruction but FROM. @throws Mistake */
export function parseInstruction(input: InstructionInput): Instruction {
  const parse = Object.hasOwn(PARSERS, input.name) ? PARSERS[input.name] : undefined;
  if (parse !== undefined) return parse(input);
  const { keyword } = input.source;
  const shown = keyword.length > 40 ? `${keyword.slice(0, 40)}…` : keyword;
  throw new Mistake(`unknown instruction: ${shown}${didYouMean(input.name, NAMES)}`, { offset: 0 });
}

/** heredocs: whose bodies follow the text. */
export function instructionInput(
  source: Source,
  heredocs: InstructionInput['heredocs'],
  escape: InstructionInput['escape'],
): InstructionInput {
  const { keyword, flags, rest, restOffset } = splitInstruction(source.text);
  return { name: keyword.toUpperCase(), source, flags, rest, restOffset, heredocs, escape };
}

/** `NAME=value …`, or the old form `NAME the rest`: whichever of `=` and a blank comes first decides. */
function parsePairs(input: InstructionInput): { pairs: Pair[]; legacy: boolean } {
  const { name, escape } = input;
  const rest = atLeastOne(input);
  const words = splitQuoted(rest, escape);
  if (words[0]?.includes('=') !== true) {
    const [key, value] = splitFirst(rest) ?? [];
    if (key === undefined || value === undefined) throw new Mistake(`${name} must have two arguments`);
    return { pairs: [{ name: key, value }], legacy: true };
  }
  const pairs = words.map((word) => {
    const equals = word.indexOf('=');
    if (equals < 0) {
      throw new Mistake(
        `Syntax error - can't find = in ${quoteShort(word)}. Must be of the form: name=value`,
        { hint: 'quote a value with blanks: NAME="a b"' },
      );
    }
    if (equals === 0) throw new Mistake(`${name} names can not be blank`);
    return { name: word.slice(0, equals), value: word.slice(equals + 1) };
  });
  return { pairs, legacy: false };
}

function parseArg(input: InstructionInput): ArgInstruction {
  const args = splitQuoted(atLeastOne(input), input.escape).map((word) => {
    const equals = word.indexOf('=');
    const name = equals < 0 ? word : word.slice(0, equals);
    if (name === '') throw new Mistake('ARG names can not be blank');
    if (/["'\\$]/.test(name)) {
      throw new Mistake(`ARG name ${quoteShort(name)} can not hold quotes, escapes or variables`, {
        hint: 'quote the value alone: ARG NAME="a b"',
      });
    }
    return { name, value: equals < 0 ? undefined : word.slice(equals + 1) };
  });
  return { ...input.source, kind: 'arg', args };
}

function parseShell(input: InstructionInput): Instruction {
  const argv = parseJsonWords(atLeastOne(input));
  if (argv === undefined) {
    throw new Mistake('SHELL requires the arguments to be in JSON form', {
      offset: input.restOffset,
      hint: 'for example SHELL ["/bin/bash", "-o", "pipefail", "-c"]',
    });
  }
  if (argv.length === 0) throw new Mistake('SHELL requires at least one argument');
  return { ...input.source, kind: 'shell', argv };
}

function parseVolume(input: InstructionInput): Instruction {
  const rest = atLeastOne(input);
  const paths = parseJsonWords(rest) ?? splitBlanks(rest);
  if (paths.length === 0) throw new Mistake('VOLUME requires at least one argument');
  if (paths.includes('')) throw new Mistake('VOLUME specified can not be an empty string');
  return { ...input.source, kind: 'volume', paths };
}

/** The trigger is stored word for word, and parsed here all the same: its mistakes are this file's. */
function parseOnbuild(input: InstructionInput): OnbuildInstruction {
  const rest = atLeastOne(input);
  const trigger = instructionInput(
    { ...input.source, text: rest, keyword: splitInstruction(rest).keyword },
    input.heredocs,
    input.escape,
  );
  if (trigger.name === 'ONBUILD') {
    throw new Mistake("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed", { offset: input.restOffset });
  }
  if (trigger.name === 'FROM' || trigger.name === 'MAINTAINER') {
    throw new Mistake(`${trigger.name} isn't allowed as an ONBUILD trigger`, { offset: input.restOffset });
  }
  const bodies = input.heredocs.map(({ content, name }) => `\n${content}${name}`);
  return {
    ...input.source,
    kind: 'onbuild',
    expression: rest + bodies.join(''),
    trigger: parseInstruction(trigger),
  };
}
