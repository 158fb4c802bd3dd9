// Completion for bash, zsh and fish. The scripts only call `skiff __complete WORDS…`, where the last word is the one being
// typed; what fits is decided here, from the same table as everything else, with yargs as its reader.

import { EngineError } from '../core/errors.ts';
import type { CommandSpec, CommandTable } from './command.ts';
import { groupNames } from './help.ts';
import { GLOBAL_FLAGS } from './parse.ts';
import { yargsFor } from './yargs.ts';

export const completionSpec = {
  name: 'completion',
  summary: 'Print the completion script of a shell',
  args: 'bash|zsh|fish',
  minArgs: 1,
  maxArgs: 1,
  flags: {},
  examples: [
    'completion bash > ~/.local/share/bash-completion/completions/skiff',
    'completion zsh > "${fpath[1]}/_skiff"',
    'completion fish > ~/.config/fish/completions/skiff.fish',
  ],
  run: () => 0,
} as const satisfies CommandSpec;

const SCRIPTS: Readonly<Record<string, string>> = {
  bash: `_skiff() {
  local IFS=$'\\n'
  mapfile -t COMPREPLY < <(compgen -W "$(skiff __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)" -- "\${COMP_WORDS[COMP_CWORD]}")
}
complete -o default -F _skiff skiff
`,
  zsh: `#compdef skiff
_skiff() {
  local -a found
  found=("\${(@f)$(skiff __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "\${found[1]}" ]]; then compadd -- "\${found[@]}"; else _files; fi
}
if [[ "\${funcstack[1]}" = _skiff ]]; then _skiff "$@"; else compdef _skiff skiff; fi
`,
  fish: `function __skiff_complete
    set -l words (commandline -opc) (commandline -ct)
    skiff __complete $words[2..-1] 2>/dev/null
end
complete -c skiff -a '(__skiff_complete)'
`,
};

/** @throws USAGE for a shell that we have no script for */
export function completionScript(shell: string): string {
  const script = Object.hasOwn(SCRIPTS, shell) ? SCRIPTS[shell] : undefined;
  if (script !== undefined) return script;
  throw new EngineError('USAGE', `skiff completion: no script for ${JSON.stringify(shell)}`, {
    hint: `one of ${Object.keys(SCRIPTS).join(', ')}`,
  });
}

/** What may stand where the last of `words` is; [] leaves it to the shell, which offers files. */
export async function complete(
  words: readonly string[],
  commands: CommandTable,
  aliases: Readonly<Record<string, string>>,
): Promise<string[]> {
  const typing = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  for (const length of [2, 1]) {
    const typed = before.slice(0, length).join(' ');
    const name = Object.hasOwn(aliases, typed) ? (aliases[typed] as string) : typed;
    const entry = before.length >= length && Object.hasOwn(commands, name) ? commands[name] : undefined;
    if (entry !== undefined)
      return await completeFlags((await entry.load()).default, before.slice(length), typing);
  }
  return completeNames(before, typing, commands, aliases);
}

async function completeFlags(
  spec: CommandSpec,
  before: readonly string[],
  typing: string,
): Promise<string[]> {
  const last = before.at(-1);
  const awaited = last?.startsWith('--') === true ? spec.flags[last.slice(2)] : undefined;
  if (awaited?.type === 'string' && awaited.bare === undefined) {
    return [...(awaited.choices ?? [])].filter((choice) => choice.startsWith(typing));
  }
  if (!typing.startsWith('-')) return [];
  const found = await yargsFor(spec).getCompletion([typing]);
  // zsh gets "name:description" from yargs; our scripts want names.
  return found.map((word) => word.replace(/:.*$/s, '')).filter((word) => word.startsWith(typing));
}

function completeNames(
  before: readonly string[],
  typing: string,
  commands: CommandTable,
  aliases: Readonly<Record<string, string>>,
): string[] {
  const flags = typing.startsWith('-') ? Object.keys(GLOBAL_FLAGS).map((name) => `--${name}`) : [];
  const visible = Object.keys(commands).filter((name) => commands[name]?.hidden !== true);
  const names = [...visible, ...Object.keys(aliases), ...groupNames(commands), 'help', 'completion'];
  const [noun] = before;
  const prefix = noun === undefined || noun === 'help' ? '' : `${noun} `;
  const candidates = names
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.slice(prefix.length))
    .filter((name) => !name.includes(' '));
  return [...new Set([...candidates, ...(noun === undefined ? [...flags, '--version', '--help'] : [])])]
    .filter((name) => name.startsWith(typing) && (typing !== '' || !name.startsWith('-')))
    .sort();
}
