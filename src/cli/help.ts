// Help texts in docker's layout, from the same table that the parsers read: `skiff --help`, `skiff CMD --help`,
// `skiff image --help`. Pure, except for the width of the terminal, which the caller passes.

import type { CommandSpec, CommandTable, Flag, Flags } from './command.ts';
import { GLOBAL_FLAGS } from './parse.ts';

type Spec = Omit<CommandSpec, 'run'>;

/** Help of one command. width: columns of the terminal. */
export function commandHelp(spec: Spec, width = 100): string {
  const options = visibleFlags(spec.flags).length > 0 ? ' [OPTIONS]' : '';
  const sections = [
    `Usage:  skiff ${spec.name}${options}${spec.args === '' ? '' : ` ${spec.args}`}`,
    spec.summary,
    ...(spec.description === undefined ? [] : [wrap(spec.description.trim(), width, '')]),
  ];
  const names = otherNames(spec);
  if (names.length > 0) sections.push(`Aliases:\n  ${names.map((name) => `skiff ${name}`).join(', ')}`);
  const table = flagTable(spec.flags, width);
  if (table !== '') sections.push(`Options:\n${table}`);
  sections.push(`Global options:\n${flagTable(GLOBAL_FLAGS, width)}`);
  if (spec.examples !== undefined && spec.examples.length > 0) {
    sections.push(`Examples:\n${spec.examples.map((line) => `  skiff ${line}`).join('\n')}`);
  }
  return `${sections.join('\n\n')}\n`;
}

function otherNames(spec: Spec): string[] {
  const names = [
    ...(spec.group !== undefined && !spec.name.includes(' ') ? [`${spec.group} ${spec.name}`] : []),
  ];
  return [...names, ...(spec.aliases ?? [])];
}

/** The common verbs come first, as in docker's help; the rest by noun. */
const COMMON = [
  'run',
  'exec',
  'ps',
  'build',
  'pull',
  'push',
  'images',
  'login',
  'logout',
  'version',
  'info',
  'doctor',
];

export function topHelp(commands: CommandTable, width = 100): string {
  const names = Object.keys(commands).filter(
    (name) => commands[name]?.hidden !== true && !name.includes(' '),
  );
  const common = COMMON.filter((name) => names.includes(name));
  const groups = groupNames(commands);
  const row = (name: string): Row => [name, commands[name]?.summary ?? ''];
  const sections = [
    'Usage:  skiff [OPTIONS] COMMAND',
    'Runs, builds and moves OCI containers: no daemon, no root, one binary.',
    section('Common commands', common.map(row), width),
    section(
      'Commands',
      [...names.filter((name) => !common.includes(name)).map(row), ...BUILT_IN].sort(byName),
      width,
    ),
    section(
      'Commands by noun',
      groups.map((group) => [group, GROUP_SUMMARY[group] ?? '']),
      width,
    ),
    `Options:\n${flagTable({ ...GLOBAL_FLAGS, version: { type: 'boolean', short: 'v', help: 'print the version' } }, width)}`,
    'Run "skiff COMMAND --help" for more about a command.',
  ];
  return `${sections.filter((text) => text !== '').join('\n\n')}\n`;
}

const GROUP_SUMMARY: Readonly<Record<string, string>> = {
  container: 'Manage containers',
  image: 'Manage images',
  system: 'Manage the store and this installation',
  volume: 'Manage volumes',
  network: 'Manage networks',
  builder: 'Manage builds',
  healthcheck: 'Check the health of containers',
  manifest: 'Look at images in registries',
  generate: 'Make files for other programs',
  buildx: 'Manage builds, as docker buildx does',
};

/** Nouns that have at least one visible verb. */
export function groupNames(commands: CommandTable): string[] {
  return Object.keys(GROUP_SUMMARY).filter((group) => verbsOf(commands, group).length > 0);
}

/** One row a command, with all of its names below the noun: `list, ls`. */
function verbsOf(commands: CommandTable, group: string, aliases: Aliases = {}): Row[] {
  const rows: Row[] = [];
  for (const [name, { group: own, summary, hidden }] of Object.entries(commands)) {
    if (hidden === true) continue;
    const whole = Object.keys(aliases).filter((alias) => aliases[alias] === name);
    const below = [name, ...whole].filter((text) => text.startsWith(`${group} `));
    const verbs = new Set(below.map((text) => text.slice(group.length + 1)));
    if (own === group && !name.includes(' ')) verbs.add(name);
    if (verbs.size > 0) rows.push([[...verbs].sort().join(', '), summary]);
  }
  return rows.sort(byName);
}

type Aliases = Readonly<Record<string, string>>;

/** aliases: other whole names → the command's. */
export function groupHelp(commands: CommandTable, aliases: Aliases, group: string, width = 100): string {
  const sections = [
    `Usage:  skiff ${group} COMMAND`,
    GROUP_SUMMARY[group] ?? '',
    section('Commands', verbsOf(commands, group, aliases), width),
    `Run "skiff ${group} COMMAND --help" for more about a command.`,
  ];
  return `${sections.join('\n\n')}\n`;
}

type Row = [left: string, right: string];

/** Answered by the frame itself (frame.ts). */
const BUILT_IN: readonly Row[] = [
  ['completion', 'Print the completion script of a shell'],
  ['help', 'Show help of a command'],
];

function byName([a]: Row, [b]: Row): number {
  return a < b ? -1 : 1;
}

function section(title: string, rows: readonly Row[], width: number): string {
  return rows.length === 0 ? '' : `${title}:\n${columns(rows, width)}`;
}

function visibleFlags(flags: Flags): [string, Flag][] {
  return Object.entries(flags)
    .filter(([, flag]) => flag.hidden !== true)
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

function flagTable(flags: Flags, width: number): string {
  return columns(
    visibleFlags(flags).map(([name, flag]): Row => {
      const short = flag.short === undefined ? '    ' : `-${flag.short}, `;
      return [`${short}--${name}${valueName(flag)}`, capitalized(flag.help) + defaultText(flag)];
    }),
    width,
  );
}

function valueName(flag: Flag): string {
  if (flag.type === 'boolean') return '';
  if (flag.type === 'string' && flag.bare !== undefined) return `[=${flag.value}]`;
  return ` ${flag.value}`;
}

function defaultText(flag: Flag): string {
  const choices = flag.type === 'string' && flag.choices !== undefined ? ` (${flag.choices.join('|')})` : '';
  if (flag.type === 'list' || flag.default === undefined || flag.default === false || flag.default === '')
    return choices;
  return `${choices} (default ${flag.type === 'string' ? JSON.stringify(flag.default) : flag.default})`;
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function columns(rows: readonly Row[], width: number): string {
  const left = Math.min(32, Math.max(0, ...rows.map(([name]) => name.length)));
  const indent = ' '.repeat(left + 5);
  return rows
    .map(([name, text]) => {
      const body = wrap(text, width - indent.length, indent).trimEnd();
      return name.length > left ? `  ${name}\n${indent}${body}` : `  ${name.padEnd(left)}   ${body}`;
    })
    .join('\n');
}

/** Breaks at spaces; later lines begin with `indent`. Line breaks of the text stay. */
function wrap(text: string, width: number, indent: string): string {
  const lines: string[] = [];
  for (const paragraph of text.split('\n')) {
    let line = '';
    for (const word of paragraph.split(' ')) {
      if (line !== '' && line.length + 1 + word.length > Math.max(width, 20)) {
        lines.push(line);
        line = word;
      } else {
        line = line === '' ? word : `${line} ${word}`;
      }
    }
    lines.push(line);
  }
  return lines.join(`\n${indent}`);
}
