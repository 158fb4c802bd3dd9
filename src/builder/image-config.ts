// What each instruction does to the image's configuration and history (pure). The words are BuildKit's, since people and
// tools read `history`.

import { formatDuration } from '../core/duration.ts';
import type { HealthConfig, HistoryEntry, ImageConfigSection } from '../oci/image.ts';
import { withoutCredentials } from './context/credentials.ts';
import type { CommandForm, ExpandedInstruction, Heredoc } from './dockerfile/ast.ts';

export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const DEFAULT_SHELL: readonly string[] = ['/bin/sh', '-c'];
export const HISTORY_COMMENT = 'buildkit.dockerfile.v0';

/** What a stage begins with. */
export function startConfig(base: ImageConfigSection | undefined): ImageConfigSection {
  const config: ImageConfigSection = base === undefined ? { WorkingDir: '/' } : { ...base };
  const env = config.Env ?? [];
  // Triggers of the base are run by this stage, not handed on.
  delete config.OnBuild;
  return {
    ...config,
    Env: env.some((entry) => entry.startsWith('PATH=')) ? env : [...env, `PATH=${DEFAULT_PATH}`],
  };
}

/** The configuration after an instruction. RUN, COPY and ADD change none; ARG is the scope's. */
export function configAfter(
  config: ImageConfigSection,
  instruction: ExpandedInstruction,
  /** The stage has had a CMD of its own. */
  hasOwnCmd: boolean,
): ImageConfigSection {
  switch (instruction.kind) {
    case 'env':
      return { ...config, Env: withEnv(config.Env ?? [], instruction.pairs) };
    case 'label':
      return { ...config, Labels: withPairs(config.Labels, instruction.pairs) };
    case 'expose':
      return { ...config, ExposedPorts: withKeys(config.ExposedPorts, instruction.ports) };
    case 'volume':
      return { ...config, Volumes: withKeys(config.Volumes, instruction.paths) };
    case 'user':
      return { ...config, User: instruction.user };
    case 'workdir':
      return { ...config, WorkingDir: resolveWorkdir(config.WorkingDir, instruction.path) };
    case 'cmd':
      return { ...config, Cmd: commandOf(config, instruction.command), ArgsEscaped: true };
    case 'entrypoint': {
      const Entrypoint = commandOf(config, instruction.command);
      // The arguments of another entrypoint mean nothing to this one.
      return hasOwnCmd ? { ...config, Entrypoint } : { ...config, Entrypoint, Cmd: null };
    }
    case 'shell':
      return { ...config, Shell: [...instruction.argv] };
    case 'healthcheck':
      return { ...config, Healthcheck: instruction.health };
    case 'stopsignal':
      return { ...config, StopSignal: instruction.signal };
    case 'onbuild':
      return { ...config, OnBuild: [...(config.OnBuild ?? []), instruction.expression] };
    case 'maintainer':
    case 'arg':
    case 'run':
    case 'copy':
    case 'add':
      return config;
  }
}

/** docker's `created_by`. `args`: the stage's ARGs in the order of their declaration. */
export function createdBy(
  instruction: ExpandedInstruction,
  config: ImageConfigSection,
  args: ReadonlyMap<string, string>,
): string {
  switch (instruction.kind) {
    case 'run':
      return `RUN ${[...argsPrefix(args), ...runArgs(instruction, config)].join(' ')} # buildkit`;
    case 'copy':
    case 'add':
      return `${copyWords(instruction).join(' ')} # buildkit`;
    case 'env':
    case 'label':
      return `${instruction.kind.toUpperCase()} ${instruction.pairs.map(({ name, value }) => `${name}=${value}`).join(' ')}`;
    case 'arg':
      return `ARG ${instruction.args.map(({ name, value }) => (value === undefined ? name : `${name}=${value}`)).join(' ')}`;
    case 'expose':
      return `EXPOSE [${instruction.ports.join(' ')}]`;
    case 'volume':
      return `VOLUME [${instruction.paths.join(' ')}]`;
    case 'user':
      return `USER ${instruction.user}`;
    case 'workdir':
      return `WORKDIR ${resolveWorkdir(config.WorkingDir, instruction.path)}`;
    case 'cmd':
      return `CMD ${goList(commandOf(config, instruction.command))}`;
    case 'entrypoint':
      return `ENTRYPOINT ${goList(commandOf(config, instruction.command))}`;
    case 'shell':
      return `SHELL [${instruction.argv.join(' ')}]`;
    case 'healthcheck':
      return `HEALTHCHECK ${goHealth(instruction.health)}`;
    case 'stopsignal':
      return `STOPSIGNAL ${instruction.signal}`;
    case 'onbuild':
      return `ONBUILD ${instruction.expression}`;
    case 'maintainer':
      return `MAINTAINER ${instruction.maintainer}`;
  }
}

export function historyEntry(text: string, emptyLayer: boolean, created: string | undefined): HistoryEntry {
  return {
    ...(created === undefined ? {} : { created }),
    created_by: text,
    comment: HISTORY_COMMENT,
    ...(emptyLayer ? { empty_layer: true } : {}),
  };
}

/** Names of variables and keys of labels. */
export interface Unset {
  env: readonly string[];
  labels: readonly string[];
}

/** What flags say of the image, after its last instruction: labels that are added come after those that are taken away. */
export function finalConfig(
  config: ImageConfigSection,
  { labels, unset }: { labels: Readonly<Record<string, string>>; unset: Unset },
): ImageConfigSection {
  const final = { ...config };
  if (unset.env.length > 0)
    final.Env = (config.Env ?? []).filter((entry) => !unset.env.includes(entry.split('=', 1)[0] as string));
  if (unset.labels.length > 0 || Object.keys(labels).length > 0) {
    const kept = Object.entries(config.Labels ?? {}).filter(([key]) => !unset.labels.includes(key));
    final.Labels = { ...Object.fromEntries(kept), ...labels };
  }
  return final;
}

/** As docker has it: the lines stay, without their layers, and the one layer has a line of its own. */
export function squashedHistory(
  lines: readonly HistoryEntry[],
  layers: number,
  left: number,
  created: string,
): HistoryEntry[] {
  const empty = lines.map((line): HistoryEntry => ({ ...line, empty_layer: true }));
  return [...empty, historyEntry(`merge of ${layers} layers`, left === 0, created)];
}

/** As Go prints a list with %q. */
function goList(words: readonly string[]): string {
  return `[${words.map((word) => JSON.stringify(word)).join(' ')}]`;
}

/** As Go prints the structure with %q: durations as strings, the number as a character. */
function goHealth({ Test, Interval, Timeout, StartPeriod, StartInterval, Retries }: HealthConfig): string {
  const times = [Interval, Timeout, StartPeriod, StartInterval].map((ns) => `"${formatDuration(ns ?? 0)}"`);
  return `&{${[goList(Test ?? []), ...times, goCharacter(Retries ?? 0)].join(' ')}}`;
}

/** As Go prints a rune with %q. */
function goCharacter(code: number): string {
  const named = { 7: 'a', 8: 'b', 9: 't', 10: 'n', 11: 'v', 12: 'f', 13: 'r', 39: "'", 92: '\\' }[code];
  if (named !== undefined) return `'\\${named}'`;
  if (code < 0x20 || code === 0x7f) return `'\\x${code.toString(16).padStart(2, '0')}'`;
  return code > 0x10ffff ? "'\ufffd'" : `'${String.fromCodePoint(code)}'`;
}

/** The program of a RUN and its arguments. */
export function runArgs(
  { command, heredocs }: { command: CommandForm; heredocs: readonly Heredoc[] },
  config: ImageConfigSection,
): string[] {
  if (command.form === 'exec') return [...command.argv];
  return [...(config.Shell ?? DEFAULT_SHELL), scriptOf(command.line, heredocs).line];
}

/**
 * A RUN that is one heredoc and nothing else is a script: shells without heredocs can run it too. One that begins with #!
 * is a program of its own, `file`, found at `line`. Any other command gets its heredocs from the shell.
 */
export function scriptOf(
  line: string,
  heredocs: readonly Heredoc[],
): { line: string; file: { path: string; content: string } | undefined } {
  const [first] = heredocs;
  if (first === undefined) return { line, file: undefined };
  if (!/^\s*\d*<<-?\s*(?:'[^']*'|"[^"]*"|[^\s'"]+)\s*$/.test(line)) {
    const bodies = heredocs.map(({ content, name }) => `\n${content}${name}`);
    return { line: line + bodies.join(''), file: undefined };
  }
  const content = first.stripTabs ? first.content.replace(/^\t+/gm, '') : first.content;
  if (!content.startsWith('#!')) return { line: content, file: undefined };
  const path = `/dev/pipes/${first.name}`;
  return { line: path, file: { path, content } };
}

/** Clean and absolute; a slash at the end stays, as in BuildKit. */
export function resolveWorkdir(current: string | undefined, path: string): string {
  const joined = path.startsWith('/') ? path : `${current ?? '/'}/${path}`;
  const clean = cleanPath(joined);
  return path.endsWith('/') && clean !== '/' ? `${clean}/` : clean;
}

export function cleanPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

function commandOf(config: ImageConfigSection, command: CommandForm): string[] {
  return command.form === 'exec' ? [...command.argv] : [...(config.Shell ?? DEFAULT_SHELL), command.line];
}

function argsPrefix(args: ReadonlyMap<string, string>): string[] {
  return args.size === 0 ? [] : [`|${args.size}`, ...Array.from(args, ([name, value]) => `${name}=${value}`)];
}

type Copying = Extract<ExpandedInstruction, { kind: 'copy' | 'add' }>;

function copyWords(instruction: Copying): string[] {
  const { kind, chown, chmod, link, parents, sources, heredocs, destination } = instruction;
  return [
    kind.toUpperCase(),
    ...(parents ? ['--parents'] : []),
    ...(chmod === undefined ? [] : [`--chmod=${chmod}`]),
    ...(chown === undefined ? [] : [`--chown=${chown}`]),
    ...(link ? ['--link'] : []),
    ...(kind === 'copy' && instruction.from !== undefined ? [`--from=${instruction.from}`] : []),
    ...sources.map(withoutCredentials),
    ...heredocs.map(({ name }) => `<<${name}`),
    destination,
  ];
}

function withEnv(env: readonly string[], pairs: readonly { name: string; value: string }[]): string[] {
  const entries = new Map(env.map((entry) => [entry.split('=', 1)[0] as string, entry]));
  for (const { name, value } of pairs) entries.set(name, `${name}=${value}`);
  return [...entries.values()];
}

function withPairs(
  labels: Record<string, string> | null | undefined,
  pairs: readonly { name: string; value: string }[],
): Record<string, string> {
  return { ...labels, ...Object.fromEntries(pairs.map(({ name, value }) => [name, value])) };
}

function withKeys(
  set: Record<string, object> | null | undefined,
  keys: readonly string[],
): Record<string, object> {
  return { ...set, ...Object.fromEntries(keys.map((key) => [key, {}])) };
}
