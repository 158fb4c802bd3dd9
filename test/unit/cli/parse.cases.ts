// Argument lists for both readers of a command's flags: ours (parse.ts) and yargs (yargs.ts). `ownOnly` says why a row
// is not for yargs.

import { defineCommand } from '../../../src/cli/command.ts';

export const runLike = defineCommand({
  name: 'run',
  summary: 'a command whose arguments belong to the container',
  args: 'IMAGE [COMMAND] [ARG...]',
  minArgs: 1,
  stopAtFirstArg: true,
  flags: {
    interactive: { type: 'boolean', short: 'i', help: 'keep stdin open' },
    tty: { type: 'boolean', short: 't', help: 'give it a terminal' },
    rm: { type: 'boolean', default: false, help: 'remove it at the end' },
    'sig-proxy': { type: 'boolean', default: true, help: 'forward signals' },
    publish: { type: 'list', short: 'p', value: 'PORT', help: 'publish a port' },
    env: { type: 'list', short: 'e', value: 'NAME=VALUE', help: 'set a variable' },
    'security-opt': { type: 'list', value: 'OPTION', commaSeparated: true, help: 'security options' },
    name: { type: 'string', value: 'NAME', help: 'name of the container' },
    network: { type: 'string', once: true, value: 'MODE', aliases: ['net'], help: 'network' },
    pull: {
      type: 'string',
      value: 'POLICY',
      default: 'missing',
      choices: ['always', 'missing', 'never'],
      help: 'when to pull',
    },
    hostname: { type: 'string', short: 'h', value: 'NAME', help: 'host name' },
    timeout: { type: 'number', value: 'SECONDS', help: 'kill after so long' },
    plan: { type: 'string', value: 'FORMAT', bare: 'text', help: 'print what would be done' },
    secret: { type: 'boolean', hidden: true, help: 'not listed' },
  },
  run: () => 0,
});

export const listLike = defineCommand({
  name: 'images',
  summary: 'a command with flags anywhere',
  args: '[NAME]',
  maxArgs: 2,
  flags: {
    all: { type: 'boolean', short: 'a', help: 'all of them' },
    quiet: { type: 'boolean', short: 'q', help: 'ids only' },
    filter: { type: 'list', short: 'f', value: 'FILTER', help: 'only these' },
    format: { type: 'string', value: 'TEMPLATE', help: 'form' },
  },
  run: () => 0,
});

interface Row {
  on: 'run' | 'list';
  argv: string[];
  args: string[];
  /** Those that differ from the state without any flag. */
  flags: Record<string, unknown>;
  globals?: Record<string, unknown>;
  ownOnly?: string;
}

export const ACCEPTED: readonly Row[] = [
  { on: 'run', argv: ['busybox'], args: ['busybox'], flags: {} },
  {
    on: 'run',
    argv: ['-it', 'busybox', 'sh'],
    args: ['busybox', 'sh'],
    flags: { interactive: true, tty: true },
  },
  {
    on: 'run',
    argv: ['-i', '-t', '--rm', 'busybox'],
    args: ['busybox'],
    flags: { interactive: true, tty: true, rm: true },
  },
  {
    on: 'run',
    argv: ['-itp8080:80', 'x'],
    args: ['x'],
    flags: { interactive: true, tty: true, publish: ['8080:80'] },
    ownOnly: 'yargs does not split a value that is glued to its letter',
  },
  {
    on: 'run',
    argv: ['-p8080:80', 'x'],
    args: ['x'],
    flags: { publish: ['8080:80'] },
    ownOnly: 'yargs does not split a value that is glued to its letter',
  },
  { on: 'run', argv: ['-p=8080:80', 'x'], args: ['x'], flags: { publish: ['8080:80'] } },
  {
    on: 'run',
    argv: ['-p', '1', '-p', '2', '--publish', '3', '--publish=4', 'x'],
    args: ['x'],
    flags: { publish: ['1', '2', '3', '4'] },
  },
  {
    on: 'run',
    argv: ['-e', 'A=b=c', '-eX', '--env=Y=', 'x'],
    args: ['x'],
    flags: { env: ['A=b=c', 'X', 'Y='] },
    ownOnly: 'yargs does not split a value that is glued to its letter',
  },
  {
    on: 'run',
    argv: ['--name=a', '--name', 'b', 'x'],
    args: ['x'],
    flags: { name: 'b' },
    ownOnly: 'yargs keeps all values of a repeated string',
  },
  { on: 'run', argv: ['--name', 'a b', 'x'], args: ['x'], flags: { name: 'a b' } },
  { on: 'run', argv: ['--name=', 'x'], args: ['x'], flags: { name: '' } },
  { on: 'run', argv: ['--name', '', 'x'], args: ['x'], flags: { name: '' } },
  {
    on: 'run',
    argv: ['--net', 'none', '--network=none', 'x'],
    args: ['x'],
    flags: { network: 'none' },
    ownOnly: 'yargs keeps all values of a repeated string',
  },
  { on: 'run', argv: ['--net', 'none', 'x'], args: ['x'], flags: { network: 'none' } },
  { on: 'run', argv: ['--net=none', 'x'], args: ['x'], flags: { network: 'none' } },
  { on: 'run', argv: ['--rm=false', 'x'], args: ['x'], flags: {} },
  { on: 'run', argv: ['--rm=true', 'x'], args: ['x'], flags: { rm: true } },
  {
    on: 'run',
    argv: ['--rm=1', 'x'],
    args: ['x'],
    flags: { rm: true },
    ownOnly: 'yargs knows true and false alone',
  },
  { on: 'run', argv: ['--rm=F', 'x'], args: ['x'], flags: {}, ownOnly: 'yargs knows true and false alone' },
  { on: 'run', argv: ['-i=false', '-t=true', 'x'], args: ['x'], flags: { interactive: false, tty: true } },
  { on: 'run', argv: ['--sig-proxy=false', 'x'], args: ['x'], flags: { 'sig-proxy': false } },
  {
    on: 'run',
    argv: ['--rm', 'true'],
    args: ['true'],
    flags: { rm: true },
    ownOnly: 'yargs takes "true" after a boolean as its value',
  },
  {
    on: 'run',
    argv: ['x', '--rm', '-it', '--nonsense'],
    args: ['x', '--rm', '-it', '--nonsense'],
    flags: {},
  },
  { on: 'run', argv: ['x', '--', 'y'], args: ['x', '--', 'y'], flags: {}, ownOnly: 'yargs drops a later --' },
  { on: 'run', argv: ['x', '-h', '--help'], args: ['x', '-h', '--help'], flags: {} },
  { on: 'run', argv: ['--', 'x', '-i'], args: ['x', '-i'], flags: {} },
  { on: 'run', argv: ['--rm', '--', '-odd-name'], args: ['-odd-name'], flags: { rm: true } },
  { on: 'run', argv: ['-', 'y'], args: ['-', 'y'], flags: {} },
  { on: 'run', argv: ['-h', 'web', 'x'], args: ['x'], flags: { hostname: 'web' } },
  {
    on: 'run',
    argv: ['-hweb', 'x'],
    args: ['x'],
    flags: { hostname: 'web' },
    ownOnly: 'yargs does not split a value that is glued to its letter',
  },
  { on: 'run', argv: ['--timeout', '5', 'x'], args: ['x'], flags: { timeout: 5 } },
  { on: 'run', argv: ['--timeout=1.5', 'x'], args: ['x'], flags: { timeout: 1.5 } },
  { on: 'run', argv: ['--timeout', '-1', 'x'], args: ['x'], flags: { timeout: -1 } },
  {
    on: 'run',
    argv: ['--name', '-x', 'y'],
    args: ['y'],
    flags: { name: '-x' },
    ownOnly: 'pflag takes any next word as value',
  },
  {
    on: 'run',
    argv: ['-e', '--rm', 'y'],
    args: ['y'],
    flags: { env: ['--rm'] },
    ownOnly: 'pflag takes any next word as value',
  },
  {
    on: 'run',
    argv: ['--security-opt', 'a,b', '--security-opt=c', 'x'],
    args: ['x'],
    flags: { 'security-opt': ['a', 'b', 'c'] },
  },
  { on: 'run', argv: ['--pull', 'always', 'x'], args: ['x'], flags: { pull: 'always' } },
  {
    on: 'run',
    argv: ['--plan', 'x'],
    args: ['x'],
    flags: { plan: 'text' },
    ownOnly: 'yargs has no values that need "="',
  },
  { on: 'run', argv: ['--plan=json', 'x'], args: ['x'], flags: { plan: 'json' } },
  { on: 'run', argv: ['--secret', 'x'], args: ['x'], flags: { secret: true } },
  {
    on: 'run',
    argv: ['--debug', '--root', '/s', 'x'],
    args: ['x'],
    flags: {},
    globals: { debug: true, root: '/s' },
  },
  {
    on: 'run',
    argv: ['-e', 'bytes=\udcff', 'x', '\udc80'],
    args: ['x', '\udc80'],
    flags: { env: ['bytes=\udcff'] },
  },
  { on: 'list', argv: [], args: [], flags: {} },
  { on: 'list', argv: ['a', '-q', 'b'], args: ['a', 'b'], flags: { quiet: true } },
  {
    on: 'list',
    argv: ['-qa', 'a', '--format', '{{.ID}}'],
    args: ['a'],
    flags: { quiet: true, all: true, format: '{{.ID}}' },
  },
  { on: 'list', argv: ['a', '--', '-q'], args: ['a', '-q'], flags: {} },
  { on: 'list', argv: ['-f', 'a=b', '--filter=c=d'], args: [], flags: { filter: ['a=b', 'c=d'] } },
  { on: 'list', argv: ['-aqf', 'x'], args: [], flags: { all: true, quiet: true, filter: ['x'] } },
];

export const REJECTED: readonly { on: 'run' | 'list'; argv: string[]; message: string; hint: string }[] = [
  {
    on: 'run',
    argv: ['--nam', 'x', 'y'],
    message: 'skiff run: unknown flag --nam',
    hint: 'did you mean --name? see "skiff run --help"',
  },
  {
    on: 'run',
    argv: ['--netwrok=x', 'y'],
    message: 'skiff run: unknown flag --netwrok',
    hint: 'did you mean --network? see "skiff run --help"',
  },
  {
    on: 'run',
    argv: ['--zzzzzzzzz', 'y'],
    message: 'skiff run: unknown flag --zzzzzzzzz',
    hint: 'see "skiff run --help"',
  },
  {
    on: 'run',
    argv: ['--secre', 'y'],
    message: 'skiff run: unknown flag --secre',
    hint: 'see "skiff run --help"',
  },
  {
    on: 'run',
    argv: ['-iz', 'y'],
    message: 'skiff run: unknown flag -z in "-iz"',
    hint: 'see "skiff run --help"',
  },
  {
    on: 'run',
    argv: ['-rm', 'y'],
    message: 'skiff run: unknown flag -r in "-rm"',
    hint: 'did you mean --rm? see "skiff run --help"',
  },
  {
    on: 'run',
    argv: ['--name'],
    message: 'skiff run: flag --name needs a value',
    hint: 'see "skiff run --help"',
  },
  { on: 'run', argv: ['-ite'], message: 'skiff run: flag -e needs a value', hint: 'see "skiff run --help"' },
  {
    on: 'run',
    argv: ['--rm=maybe', 'x'],
    message: 'skiff run: flag --rm: "maybe" is neither true nor false',
    hint: 'see "skiff run --help"',
  },
  {
    on: 'run',
    argv: ['--timeout=soon', 'x'],
    message: 'skiff run: flag --timeout: "soon" is not a number',
    hint: 'see "skiff run --help"',
  },
  {
    on: 'run',
    argv: ['--timeout=', 'x'],
    message: 'skiff run: flag --timeout: "" is not a number',
    hint: 'see "skiff run --help"',
  },
  {
    on: 'run',
    argv: ['--pull=perhaps', 'x'],
    message: 'skiff run: flag --pull: "perhaps" is none of always, missing, never',
    hint: 'see "skiff run --help"',
  },
  {
    on: 'run',
    argv: ['--network', 'none', '--network=host', 'x'],
    message: 'skiff run: flag --network: conflicting values "none" and "host"',
    hint: 'see "skiff run --help"',
  },
  {
    on: 'run',
    argv: [],
    message: 'skiff run: needs at least 1 argument (IMAGE [COMMAND] [ARG...]), got 0',
    hint: 'see "skiff run --help"',
  },
  { on: 'run', argv: ['---x', 'y'], message: 'skiff run: unknown flag ---x', hint: 'see "skiff run --help"' },
  { on: 'run', argv: ['--=x', 'y'], message: 'skiff run: unknown flag --', hint: 'see "skiff run --help"' },
  {
    on: 'list',
    argv: ['a', 'b', 'c'],
    message: 'skiff images: needs at most 2 arguments ([NAME]), got 3',
    hint: 'see "skiff images --help"',
  },
  {
    on: 'list',
    argv: ['--__proto__=1'],
    message: 'skiff images: unknown flag --__proto__',
    hint: 'see "skiff images --help"',
  },
  {
    on: 'list',
    argv: ['--constructor'],
    message: 'skiff images: unknown flag --constructor',
    hint: 'see "skiff images --help"',
  },
];
