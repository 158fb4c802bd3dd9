// argv → command → exit status. The only place that ends the process. What a plain `skiff run` does not need is behind
// an import() here or below, since every millisecond of start-up is the user's.

import './native/embedded.ts';
import { ALIASES, COMMANDS } from './commands/index.ts';
import type { CommandEntry, CommandSpec } from './cli/command.ts';
import { BrokenPipe, writeFully, writeMessage } from './cli/io.ts';
import { parseCommand, parseGlobals, type FlagMap } from './cli/parse.ts';
import { isDebug, readArguments, readEnvironment, wireContext, type Wiring } from './cli/wire.ts';
import { VERSION } from './core/version.ts';

const env = readEnvironment();
let globals: FlagMap = {};
let wiring: Wiring | undefined;

process.on('uncaughtException', (error) => void fail(error));
main(readArguments()).then(exit, fail);

async function main(argv: readonly string[]): Promise<number> {
  const top = parseGlobals(argv);
  globals = top.globals;
  if (top.version) {
    writeFully(1, Buffer.from(`skiff version ${VERSION}\n`));
    return 0;
  }
  const found = top.help ? undefined : findCommand(top.rest);
  if (found === undefined) {
    const { frameCommand } = await import('./cli/frame.ts');
    return frameCommand({ commands: COMMANDS, aliases: ALIASES, words: top.rest, help: top.help });
  }
  const { default: spec } = await found.entry.load();
  const parsed = parseCommand(spec, found.args);
  globals = { ...globals, ...parsed.globals };
  if (parsed.help) {
    const { commandHelp } = await import('./cli/help.ts');
    writeFully(1, Buffer.from(commandHelp(spec)));
    return 0;
  }
  return await invoke(spec, parsed.args, parsed.flags);
}

async function invoke(spec: CommandSpec, args: string[], flags: FlagMap): Promise<number> {
  wiring = await wireContext(env, globals);
  return await spec.run({ args, flags: flags, cx: wiring.cx });
}

/** The longest name that the words begin with: two words (`image inspect`, `container run`), else one. */
function findCommand(words: readonly string[]): { entry: CommandEntry; args: readonly string[] } | undefined {
  for (const length of [2, 1]) {
    if (words.length < length) continue;
    const typed = words.slice(0, length).join(' ');
    const name = Object.hasOwn(ALIASES, typed) ? (ALIASES[typed] as string) : typed;
    if (Object.hasOwn(COMMANDS, name))
      return { entry: COMMANDS[name] as CommandEntry, args: words.slice(length) };
  }
  return undefined;
}

function exit(code: number): never {
  const signal = wiring?.abortedBy();
  // Cancelled by a signal: die of it, so that a calling shell sees that and stops too.
  if (signal !== undefined && code !== 0) dieOf(signal);
  process.exit(code);
}

async function fail(error: unknown): Promise<never> {
  if (error instanceof BrokenPipe) dieOf('SIGPIPE');
  const { reportError } = await import('./cli/report.ts');
  const { text, exitCode } = reportError(error, isDebug(env, globals));
  writeMessage(text);
  return exit(exitCode);
}

/** Ends this process by a signal. Adding and removing a listener resets its disposition, which may be "ignore". */
function dieOf(signal: NodeJS.Signals): never {
  const listener = () => undefined;
  process.removeAllListeners(signal);
  process.on(signal, listener);
  process.removeListener(signal, listener);
  process.kill(process.pid, signal);
  // Delivered before kill() returns, unless the signal is blocked.
  process.exit(128 + process.getBuiltinModule('node:os').constants.signals[signal]);
}
