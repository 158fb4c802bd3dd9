import { expect, it } from 'vitest';
import type { CommandSpec, CommandTable } from '../../../src/cli/command.ts';
import { commandHelp, groupHelp, groupNames, topHelp } from '../../../src/cli/help.ts';
import { runLike } from './parse.cases.ts';

const load = () => Promise.reject(new Error('help must not load commands'));
const TABLE: CommandTable = {
  run: { summary: 'Run it', group: 'container', load },
  images: { summary: 'List images', load },
  'image inspect': { summary: 'Show images', load },
  __hidden: { summary: 'no', group: 'volume', hidden: true, load },
};

it("has docker's layout", () => {
  const spec: CommandSpec = {
    ...(runLike as unknown as CommandSpec),
    group: 'container',
    aliases: ['r'],
    examples: ['run x'],
    description: 'A longer text.\n\nOf two paragraphs.',
  };
  expect(commandHelp(spec, 70)).toBe(`Usage:  skiff run [OPTIONS] IMAGE [COMMAND] [ARG...]

a command whose arguments belong to the container

A longer text.

Of two paragraphs.

Aliases:
  skiff container run, skiff r

Options:
  -e, --env NAME=VALUE        Set a variable
  -h, --hostname NAME         Host name
  -i, --interactive           Keep stdin open
      --name NAME             Name of the container
      --network MODE          Network
      --plan[=FORMAT]         Print what would be done
  -p, --publish PORT          Publish a port
      --pull POLICY           When to pull (always|missing|never)
                              (default "missing")
      --rm                    Remove it at the end
      --security-opt OPTION   Security options
      --sig-proxy             Forward signals (default true)
      --timeout SECONDS       Kill after so long
  -t, --tty                   Give it a terminal

Global options:
      --config FILE   Configuration file to read instead of skiff.conf
      --debug         Print debug notes, and stacks of errors, on
                      stderr
      --root DIR      Directory of the store

Examples:
  skiff run x
`);
});

it('lists commands and nouns from the table alone, without hidden ones', () => {
  const text = topHelp(TABLE, 80);
  expect(text).toContain('\nCommon commands:\n  run      Run it\n  images   List images\n');
  expect(text).toContain(
    '\nCommands by noun:\n  container   Manage containers\n  image       Manage images\n',
  );
  expect(text).toContain('\n  completion   ');
  expect(text).not.toMatch(/hidden|volume/);
  expect(groupNames(TABLE)).toEqual(['container', 'image']);
  expect(groupHelp(TABLE, {}, 'container')).toContain('\nCommands:\n  run   Run it\n');
  expect(groupHelp(TABLE, {}, 'image')).toContain('\nCommands:\n  inspect   Show images\n');
  const aliases = {
    'image ls': 'images',
    'image list': 'images',
    'container run': 'run',
    'volume x': '__hidden',
  };
  expect(groupHelp(TABLE, aliases, 'container')).toContain('\nCommands:\n  run   Run it\n\n');
  expect(groupHelp(TABLE, aliases, 'image')).toContain(
    '\nCommands:\n  inspect    Show images\n  list, ls   List images\n\n',
  );
});
