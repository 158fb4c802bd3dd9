// --change of commit and import: Dockerfile instructions that change an image's configuration (pure). docker allows those
// that need no build.

import { parseDuration } from '../core/duration.ts';
import { EngineError } from '../core/errors.ts';
import type { HealthConfig, ImageConfigSection } from '../oci/image.ts';
import { parseExposedPort } from './exposed-port.ts';

const ALLOWED =
  'CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME and WORKDIR';
const DEFAULT_SHELL = ['/bin/sh', '-c'];

/** `config` with all of `changes`, which are `CMD ["sh"]` or, as podman has it too, `CMD=sh`. @throws USAGE */
export function changeConfig(config: ImageConfigSection, changes: readonly string[]): ImageConfigSection {
  const instructions = changes.map(parseInstruction);
  const changed = { ...config };
  for (const { keyword, rest, text } of instructions) applyOne(changed, keyword, rest, text);
  // An entrypoint of its own makes the old one's arguments meaningless.
  const keywords = instructions.map(({ keyword }) => keyword);
  if (keywords.includes('ENTRYPOINT') && !keywords.includes('CMD')) changed.Cmd = null;
  return changed;
}

function parseInstruction(text: string): { keyword: string; rest: string; text: string } {
  const match = /^\s*([A-Za-z]+)(?:\s+|=)(.*\S)\s*$/s.exec(text);
  if (match === null) {
    throw invalid(text, 'expected an instruction and its value', `it takes ${ALLOWED}, as in 'CMD ["sh"]'`);
  }
  return { keyword: (match[1] as string).toUpperCase(), rest: match[2] as string, text };
}

function applyOne(config: ImageConfigSection, keyword: string, rest: string, text: string): void {
  switch (keyword) {
    case 'CMD':
      config.Cmd = commandOf(rest, config);
      return;
    case 'ENTRYPOINT':
      config.Entrypoint = commandOf(rest, config);
      return;
    case 'ENV':
      config.Env = mergeEnv(config.Env ?? [], pairsOf(rest, text));
      return;
    case 'LABEL':
      config.Labels = { ...config.Labels, ...Object.fromEntries(pairsOf(rest, text)) };
      return;
    case 'EXPOSE':
      config.ExposedPorts = {
        ...config.ExposedPorts,
        ...keysOf(splitWords(rest, text).flatMap((word) => portsOf(word, text))),
      };
      return;
    case 'VOLUME':
      config.Volumes = { ...config.Volumes, ...keysOf(jsonList(rest) ?? splitWords(rest, text)) };
      return;
    case 'USER':
      config.User = rest;
      return;
    case 'WORKDIR':
      config.WorkingDir = rest.startsWith('/')
        ? rest
        : `${(config.WorkingDir ?? '').replace(/\/$/, '')}/${rest}`;
      return;
    case 'STOPSIGNAL':
      config.StopSignal = rest;
      return;
    case 'ONBUILD':
      config.OnBuild = [...(config.OnBuild ?? []), onBuildOf(rest, text)];
      return;
    case 'HEALTHCHECK':
      config.Healthcheck = healthOf(rest, text);
      return;
    default:
      throw invalid(text, `${keyword} is not a valid change command`, `it takes ${ALLOWED}`);
  }
}

function onBuildOf(rest: string, text: string): string {
  const trigger = /^[A-Za-z]+/.exec(rest)?.[0].toUpperCase() ?? '';
  if (['ONBUILD', 'FROM', 'MAINTAINER'].includes(trigger))
    throw invalid(text, `${trigger} isn't allowed as an ONBUILD trigger`);
  return rest;
}

/** Exec form as it is, shell form with the image's shell in front. */
function commandOf(rest: string, { Shell }: ImageConfigSection): string[] {
  return jsonList(rest) ?? [...(Shell ?? DEFAULT_SHELL), rest];
}

function jsonList(text: string): string[] | undefined {
  if (!text.startsWith('[')) return undefined;
  try {
    const list: unknown = JSON.parse(text);
    if (Array.isArray(list) && list.every((item) => typeof item === 'string')) return list;
  } catch {
    // As in a Dockerfile: what is no list is a command line for the shell.
  }
  return undefined;
}

/** `A=1 B="x y"`, or the old form `A the rest`. */
function pairsOf(rest: string, text: string): [string, string][] {
  const words = splitWords(rest, text);
  if (words[0]?.includes('=') !== true) {
    const match = /^(\S+)\s+(.*)$/s.exec(rest);
    if (match === null) throw invalid(text, 'expected NAME=VALUE');
    return [[match[1] as string, match[2] as string]];
  }
  return words.map((word) => {
    const at = word.indexOf('=');
    if (at <= 0) throw invalid(text, `${JSON.stringify(word)} is not NAME=VALUE`);
    return [word.slice(0, at), word.slice(at + 1)];
  });
}

function mergeEnv(env: readonly string[], pairs: readonly (readonly [string, string])[]): string[] {
  const merged = new Map(env.map((entry) => [entry.split('=', 1)[0] as string, entry]));
  for (const [key, value] of pairs) merged.set(key, `${key}=${value}`);
  return [...merged.values()];
}

/** Separated by blanks; quotes and backslashes as in a Dockerfile. */
function splitWords(rest: string, text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let i = 0; i < rest.length; i++) {
    const unit = rest[i] as string;
    if (quote !== '' && unit === quote) quote = '';
    else if (unit === '\\' && quote !== "'" && i + 1 < rest.length)
      word = (word ?? '') + (rest[++i] as string);
    else if (quote === '' && (unit === '"' || unit === "'")) {
      quote = unit;
      word ??= '';
    } else if (quote === '' && /\s/.test(unit)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + unit;
  }
  if (quote !== '') throw invalid(text, `a quotation mark (${quote}) is not closed`);
  if (word !== undefined) words.push(word);
  return words;
}

function portsOf(word: string, text: string): string[] {
  const ports = parseExposedPort(word);
  if (ports === undefined) throw invalid(text, `invalid containerPort: ${word}`);
  return ports;
}

function keysOf(keys: readonly string[]): Record<string, object> {
  return Object.fromEntries(keys.map((key) => [key, {}]));
}

const DURATIONS = {
  interval: 'Interval',
  timeout: 'Timeout',
  'start-period': 'StartPeriod',
  'start-interval': 'StartInterval',
} as const;

/** `NONE`, or `[--interval=30s …] CMD …`. A command line is for the image's shell, whichever that is when it is executed. */
function healthOf(rest: string, text: string): HealthConfig {
  const health: HealthConfig = {};
  let left = rest;
  for (let match = OPTION.exec(left); match !== null; match = OPTION.exec(left)) {
    const [whole, name = '', value = ''] = match;
    if (name === 'retries') health.Retries = retriesOf(value, text);
    else if (Object.hasOwn(DURATIONS, name))
      health[DURATIONS[name as keyof typeof DURATIONS]] = timeOf(name, value, text);
    else throw invalid(text, `${JSON.stringify(whole.trim())} is no option of HEALTHCHECK`);
    left = left.slice(whole.length);
  }
  const [, kind = '', command = ''] = /^(\S*)\s*(.*)$/s.exec(left) ?? [];
  if (/^none$/i.test(kind)) {
    if (command !== '' || left !== rest) throw invalid(text, 'HEALTHCHECK NONE takes no arguments');
    return { Test: ['NONE'] };
  }
  if (!/^cmd$/i.test(kind))
    throw invalid(text, `expected HEALTHCHECK [OPTIONS] CMD command, or HEALTHCHECK NONE`);
  const list = jsonList(command);
  if (command === '' || list?.length === 0) throw invalid(text, 'Missing command after HEALTHCHECK CMD');
  return { ...health, Test: list === undefined ? ['CMD-SHELL', command] : ['CMD', ...list] };
}

const OPTION = /^--([a-z-]+)=(\S+)\s+/;
const SHORTEST = 1e6;

function timeOf(name: string, value: string, text: string): number {
  const parsed = parseDuration(value);
  if ('problem' in parsed) throw invalid(text, `--${name}: ${parsed.problem}`);
  if (parsed.ns !== 0 && parsed.ns < SHORTEST) throw invalid(text, `--${name} cannot be less than 1ms`);
  return parsed.ns;
}

function retriesOf(value: string, text: string): number {
  if (/^-\d+$/.test(value)) throw invalid(text, `--retries cannot be negative (${value})`);
  if (!/^\+?\d{1,9}$/.test(value)) throw invalid(text, `--retries=${value}: expected a whole number`);
  return Number(value);
}

function invalid(text: string, why: string, hint?: string): EngineError {
  return new EngineError('USAGE', `--change ${JSON.stringify(text)}: ${why}`, { hint, exitCode: 1 });
}
