// COPY and ADD. (pure)

import type { AddInstruction, CopyInstruction, Heredoc, Word } from './ast.ts';
import { Mistake } from './errors.ts';
import { parseFlags } from './flags.ts';
import { parseHeredoc } from './heredoc.ts';
import type { InstructionInput } from './instruction-input.ts';
import { parseJsonWords, splitBlanks, splitQuoted } from './words.ts';

const SHARED_FLAGS = {
  chown: 'string',
  chmod: 'string',
  link: 'boolean',
  parents: 'boolean',
  exclude: 'list',
} as const;

export function parseCopy(input: InstructionInput): CopyInstruction {
  const flags = parseFlags(input.flags, { ...SHARED_FLAGS, from: 'string' });
  const { from } = flags;
  if (from?.includes('$') === true) {
    throw new Mistake(
      'variable expansion is not supported for --from, define a new stage with FROM using ARG from global scope as a workaround',
      { offset: input.flags.find(({ text }) => text.startsWith('--from'))?.offset },
    );
  }
  return { ...input.source, kind: 'copy', ...shared(input, flags), from: from === '' ? undefined : from };
}

export function parseAdd(input: InstructionInput): AddInstruction {
  const flags = parseFlags(input.flags, {
    ...SHARED_FLAGS,
    checksum: 'string',
    'keep-git-dir': 'boolean',
    unpack: 'boolean',
  });
  const { checksum } = flags;
  const common = shared(input, flags);
  if (checksum !== undefined && common.sources.length + common.heredocs.length > 1) {
    throw new Mistake("checksum can't be specified for multiple sources");
  }
  if (checksum !== undefined && !isRemote(common.sources[0] ?? '')) {
    throw new Mistake('checksum requires HTTP(S) or git sources');
  }
  return {
    ...input.source,
    kind: 'add',
    ...common,
    checksum,
    keepGitDir: flags['keep-git-dir'] ?? false,
    unpack: flags.unpack,
  };
}

interface SharedFlags {
  chown: string | undefined;
  chmod: string | undefined;
  link: boolean | undefined;
  parents: boolean | undefined;
  exclude: readonly { text: string }[];
}

function shared(input: InstructionInput, flags: SharedFlags) {
  return {
    ...sourcesAndDestination(input),
    chown: flags.chown,
    chmod: flags.chmod,
    link: flags.link ?? false,
    parents: flags.parents ?? false,
    exclude: flags.exclude.map(({ text }) => text),
  };
}

function sourcesAndDestination({ name, rest, restOffset, heredocs, escape }: InstructionInput): {
  sources: Word[];
  heredocs: Heredoc[];
  destination: Word;
} {
  const words = parseJsonWords(rest) ?? (heredocs.length > 0 ? splitQuoted(rest, escape) : splitBlanks(rest));
  const destination = words.pop();
  if (destination === undefined || words.length === 0) {
    const found = destination === undefined ? 'none' : 'only one';
    throw new Mistake(
      `${name} requires at least two arguments, but ${found} was provided. Destination could not be determined`,
      { offset: restOffset },
    );
  }
  const isHeredoc = (word: string): boolean => heredocs.length > 0 && parseHeredoc(word) !== undefined;
  if (isHeredoc(destination)) throw new Mistake(`${name} cannot accept a heredoc as a destination`);
  return {
    sources: words.filter((word) => !isHeredoc(word)),
    heredocs: heredocs.map((heredoc) =>
      heredoc.stripTabs ? { ...heredoc, content: heredoc.content.replace(/^\t+/gm, '') } : heredoc,
    ),
    destination,
  };
}

/** A variable may still become one. */
function isRemote(source: string): boolean {
  return /^(?:https?|git|ssh):\/\/|^[\w-]+@[\w.-]+:|\$/i.test(source);
}
