// What the command line says when it names no command of the table: help of the whole or of a noun, `help CMD`,
// `completion SHELL`, and the error for a name that nobody knows.

import { EngineError } from '../core/errors.ts';
import { nearest } from '../core/nearest.ts';
import type { CommandEntry, CommandSpec, CommandTable } from './command.ts';
import { commandHelp, groupHelp, groupNames, topHelp } from './help.ts';
import { parseCommand } from './parse.ts';
import { processIo, writeFully } from './io.ts';

export interface FrameRequest {
  commands: CommandTable;
  aliases: Readonly<Record<string, string>>;
  /** The words after the global flags. */
  words: readonly string[];
  /** --help stood before any word. */
  help: boolean;
}

/** @returns the exit status. @throws USAGE for an unknown command */
export async function frameCommand(request: FrameRequest): Promise<number> {
  const { commands, words, help } = request;
  const [first, ...rest] = words;
  if (help || first === undefined) {
    print(topHelp(commands, processWidth()));
    return 0;
  }
  if (first === 'help') return await helpFor(request, rest);
  if (first === 'completion') return await completion(rest);
  if (first === '__complete') return await printCompletions(request, rest);
  if (groupNames(commands).includes(first)) {
    const verb = rest.find((word) => !word.startsWith('-'));
    if (verb !== undefined) throw unknown(request, `${first} ${verb}`);
    print(groupHelp(commands, request.aliases, first, processWidth()));
    return 0;
  }
  throw unknown(request, first);
}

const HELP = {
  name: 'help',
  summary: 'Show help of a command',
  args: '[COMMAND]',
  flags: {},
  run: () => 0,
} as const satisfies CommandSpec;

async function helpFor(request: FrameRequest, words: readonly string[]): Promise<number> {
  const { commands, aliases } = request;
  const { args, help } = parseCommand(HELP, words);
  const typed = help ? 'help' : args.join(' ');
  const entry = find(commands, aliases, typed);
  if (typed === '') print(topHelp(commands, processWidth()));
  else if (typed === 'help') print(commandHelp(HELP, processWidth()));
  else if (typed === 'completion') return await completion(['--help']);
  else if (groupNames(commands).includes(typed)) print(groupHelp(commands, aliases, typed, processWidth()));
  else if (entry !== undefined) print(commandHelp((await entry.load()).default, processWidth()));
  else throw unknown(request, typed);
  return 0;
}

async function completion(words: readonly string[]): Promise<number> {
  const { completionScript, completionSpec } = await import('./completion.ts');
  const { args, help } = parseCommand(completionSpec, words);
  print(help ? commandHelp(completionSpec, processWidth()) : completionScript(args[0] as string));
  return 0;
}

/** The scripts of `completion` call this; not for people. */
async function printCompletions(
  { commands, aliases }: FrameRequest,
  words: readonly string[],
): Promise<number> {
  const { complete } = await import('./completion.ts');
  print((await complete(words, commands, aliases)).map((word) => `${word}\n`).join(''));
  return 0;
}

function find(
  commands: CommandTable,
  aliases: FrameRequest['aliases'],
  typed: string,
): CommandEntry | undefined {
  const name = Object.hasOwn(aliases, typed) ? (aliases[typed] as string) : typed;
  return Object.hasOwn(commands, name) ? commands[name] : undefined;
}

function unknown({ commands, aliases }: FrameRequest, typed: string): EngineError {
  const visible = Object.keys(commands).filter((name) => commands[name]?.hidden !== true);
  const names = [...visible, ...Object.keys(aliases), ...groupNames(commands), 'help', 'completion'];
  const near = nearest(typed, names);
  const hint = `${near === undefined ? '' : `did you mean "skiff ${near}"? `}"skiff --help" lists the commands`;
  return new EngineError('USAGE', `skiff: unknown command ${JSON.stringify(typed)}`, { hint });
}

/** Columns to wrap at: the terminal's, COLUMNS, else 100. */
function processWidth(): number {
  const columns = Number(process.env['COLUMNS']);
  if (Number.isInteger(columns) && columns > 0) return columns;
  const terminal = processIo.stdoutIsTerminal ? process.stdout.columns : undefined;
  return terminal !== undefined && terminal > 0 ? terminal : 100;
}

function print(text: string): void {
  writeFully(1, Buffer.from(text));
}
