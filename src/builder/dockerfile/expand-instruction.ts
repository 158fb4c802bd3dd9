// An instruction with its words replaced by their values: which words, each instruction knows (Dockerfile reference,
// "Environment replacement"). RUN's command, CMD, ENTRYPOINT, SHELL, HEALTHCHECK and ONBUILD are nobody's to expand but the
// shell's. (pure)

import { parseExposedPort, withoutHostPart } from '../../image/exposed-port.ts';
import { signalNumber } from '../../runtime/signals.ts';
import type { ExpandedInstruction, Instruction, Pair, Word } from './ast.ts';
import { Mistake, quoteShort } from './errors.ts';
import { resolveMount } from './mounts.ts';

export interface WordExpander {
  word(word: Word): string;
  /** A word that may become several, at unquoted blanks. */
  words(word: Word): string[];
  heredoc(content: string): string;
}

/** Any instruction but ARG, whose words the scope expands one after the other. @throws Mistake */
export function expandInstruction(
  instruction: Exclude<Instruction, { kind: 'arg' }>,
  expand: WordExpander,
): ExpandedInstruction {
  const optional = (word: Word | undefined) => (word === undefined ? undefined : expand.word(word));
  const each = (words: readonly Word[]) => words.map((word) => expand.word(word));
  switch (instruction.kind) {
    case 'env':
    case 'label':
      return {
        ...instruction,
        pairs: instruction.pairs.map((pair) => expandPair(pair, instruction.kind, expand)),
      };
    case 'copy':
    case 'add': {
      const common = {
        sources: each(instruction.sources),
        destination: expand.word(instruction.destination),
        chown: optional(instruction.chown),
        chmod: optional(instruction.chmod),
        exclude: each(instruction.exclude),
        heredocs: instruction.heredocs.map((heredoc) =>
          heredoc.expand ? { ...heredoc, content: expand.heredoc(heredoc.content) } : heredoc,
        ),
      };
      return instruction.kind === 'add'
        ? { ...instruction, ...common, checksum: optional(instruction.checksum) }
        : { ...instruction, ...common };
    }
    case 'run':
      return {
        ...instruction,
        mounts: instruction.mounts.map((flag) => resolveMount(flag, (value) => expand.word(value))),
      };
    case 'expose':
      return {
        ...instruction,
        ports: allPorts(instruction.ports.flatMap((word) => expand.words(word))),
      };
    case 'user':
      return { ...instruction, user: expand.word(instruction.user) };
    case 'workdir':
      return { ...instruction, path: expand.word(instruction.path) };
    case 'volume':
      return { ...instruction, paths: each(instruction.paths).map(notEmpty) };
    case 'stopsignal':
      return { ...instruction, signal: signalOf(expand.word(instruction.signal)) };
    case 'cmd':
    case 'entrypoint':
    case 'shell':
    case 'healthcheck':
    case 'maintainer':
    case 'onbuild':
      return instruction;
  }
}

function expandPair({ name, value }: Pair, kind: string, expand: WordExpander): Pair {
  const pair = { name: expand.word(name), value: expand.word(value) };
  if (pair.name === '') throw new Mistake(`${kind.toUpperCase()} names can not be blank`);
  if (kind === 'env' && pair.name.includes('=')) {
    throw new Mistake(`ENV name ${quoteShort(pair.name)} can not hold "="`);
  }
  return pair;
}

/** Each port of each protocol. */
const MAX_PORTS = 3 * 65536;

function allPorts(words: readonly string[]): string[] {
  const all: string[] = [];
  for (const word of words) {
    const ports = portsOf(word);
    if (all.length + ports.length > MAX_PORTS) throw new Mistake('EXPOSE lists more ports than there are');
    for (const port of ports) all.push(port);
  }
  return all;
}

function portsOf(word: string): string[] {
  const ports = parseExposedPort(withoutHostPart(word));
  if (ports !== undefined) return ports;
  const protocol = /^[\d-]+\/(.+)$/.exec(word)?.[1];
  throw new Mistake(
    protocol === undefined ? `invalid containerPort: ${word}` : `invalid proto: ${protocol}`,
    {
      hint: 'EXPOSE takes ports and ranges with tcp, udp or sctp, as in 80 53/udp 8000-8010',
    },
  );
}

function notEmpty(path: string): string {
  if (path === '') throw new Mistake('VOLUME specified can not be an empty string');
  return path;
}

function signalOf(text: string): string {
  if (signalNumber(text) === undefined) throw new Mistake(`invalid signal: ${text}`);
  return text;
}
