// A parsed Dockerfile as text again, from its tree alone: what is read from it must be the same tree.

import type { Dockerfile, Instruction, Pair, Stage } from '../../src/builder/dockerfile/ast.ts';

export function formatDockerfile({ directives, globalArgs, stages }: Dockerfile): string {
  const { syntax, escape } = directives;
  const head = [...(syntax === undefined ? [] : [`# syntax=${syntax}`]), `# escape=${escape}`];
  const lines = [...globalArgs, ...stages.flatMap((stage) => [stage, ...stage.instructions])];
  return `${[...head, ...lines.map(formatNode)].join('\n')}\n`;
}

/** What two trees must have in common: not places, comments and spelling. */
export function meaningOf({ directives, globalArgs, stages }: Dockerfile): unknown {
  const plain = (key: string, value: unknown): unknown =>
    ['text', 'keyword', 'range', 'comments', 'typedName', 'asKeyword', 'check'].includes(key)
      ? undefined
      : value;
  return JSON.parse(JSON.stringify({ directives, globalArgs, stages }, plain));
}

function formatNode(node: Stage | Instruction): string {
  if (!('kind' in node)) {
    const name = node.typedName === undefined ? '' : ` AS ${node.typedName}`;
    return `FROM${flag('platform', node.platform)} ${notFlag(node.from)}${name}`;
  }
  const keyword = node.kind.toUpperCase();
  switch (node.kind) {
    case 'run': {
      const mounts = node.mounts.map(({ text }) => flag('mount', text)).join('');
      const line = commandText(node.command);
      return `${keyword}${mounts}${flag('network', node.network)}${flag('security', node.security)} ${line}${bodies(node.heredocs)}`;
    }
    case 'cmd':
    case 'entrypoint':
      return `${keyword} ${commandText(node.command)}`;
    case 'copy':
    case 'add': {
      const own =
        node.kind === 'copy'
          ? flag('from', node.from)
          : flag('checksum', node.checksum) +
            flag('keep-git-dir', String(node.keepGitDir)) +
            flag('unpack', node.unpack === undefined ? undefined : String(node.unpack));
      const flags = [
        flag('chown', node.chown),
        flag('chmod', node.chmod),
        flag('link', String(node.link)),
        flag('parents', String(node.parents)),
        ...node.exclude.map((pattern) => flag('exclude', pattern)),
        own,
      ].join('');
      const words = [...node.sources, node.destination];
      if (node.heredocs.length === 0) return `${keyword}${flags} ${JSON.stringify(words)}`;
      const heads = node.heredocs.map(
        ({ name, expand, stripTabs }) => `<<${stripTabs ? '-' : ''}${expand ? name : `'${name}'`}`,
      );
      return `${keyword}${flags} ${[...heads, ...words].join(' ')}${bodies(node.heredocs)}`;
    }
    case 'env':
    case 'label':
      return `${keyword} ${node.legacy ? pairsText(node.pairs, '  ') : pairsText(node.pairs, '=')}`;
    case 'arg':
      return `${keyword} ${notFlag(node.args.map(({ name, value }) => (value === undefined ? name : `${name}=${value}`)).join(' '))}`;
    case 'expose':
      return `${keyword} ${notFlag(portsText(node.ports))}`;
    case 'volume':
      return `${keyword} ${JSON.stringify(node.paths)}`;
    case 'user':
      return `${keyword} ${notFlag(node.user)}`;
    case 'workdir':
      return `${keyword} ${notFlag(node.path)}`;
    case 'stopsignal':
      return `${keyword} ${notFlag(node.signal)}`;
    case 'maintainer':
      return `${keyword} ${notFlag(node.maintainer)}`;
    case 'shell':
      return `${keyword} ${JSON.stringify(node.argv)}`;
    case 'onbuild':
      return `${keyword} ${node.expression}`;
    case 'healthcheck': {
      const { Test = [], Interval, Timeout, StartPeriod, StartInterval, Retries } = node.health;
      const [type = '', ...words] = Test;
      const flags = [
        flag('interval', duration(Interval)),
        flag('timeout', duration(Timeout)),
        flag('start-period', duration(StartPeriod)),
        flag('start-interval', duration(StartInterval)),
        flag('retries', Retries === undefined ? undefined : String(Retries)),
      ].join('');
      const command = type === 'CMD' ? JSON.stringify(words) : words.join('');
      return type === 'NONE' ? `${keyword} NONE` : `${keyword}${flags} CMD ${command}`;
    }
  }
}

function flag(name: string, value: string | undefined): string {
  return value === undefined ? '' : ` --${name}=${value.replace(/[\\"'\t\v\f\r ]/g, '\\$&')}`;
}

function bodies(heredocs: readonly { content: string; name: string }[]): string {
  return heredocs.map(({ content, name }) => `\n${content}${name}`).join('');
}

function commandText(
  command: { form: 'exec'; argv: readonly string[] } | { form: 'shell'; line: string },
): string {
  return command.form === 'exec' ? JSON.stringify(command.argv) : notFlag(command.line);
}

/** In an order in which no lone escape character ends the line; the parser sorts them anyway. */
function portsText(ports: readonly string[]): string {
  const continues = (word: string) => /(?:^|[^\\`])[\\`]$/.test(word);
  return [...ports.filter(continues), ...ports.filter((word) => !continues(word))].join(' ');
}

/** `--` ends the flags. */
function notFlag(rest: string): string {
  return rest.startsWith('--') ? `-- ${rest}` : rest;
}

function pairsText(pairs: readonly Pair[], separator: string): string {
  return notFlag(pairs.map(({ name, value }) => `${name}${separator}${value}`).join(' '));
}

function duration(ns: number | undefined): string | undefined {
  return ns === undefined ? undefined : `${Math.floor(ns / 1e9)}s${ns % 1e9}ns`;
}
