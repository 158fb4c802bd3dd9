// `skiff diff`: the files that a container changed.

import { defineCommand } from '../cli/command.ts';
import { ONE_TARGET_FLAGS } from '../cli/target-flags.ts';
import { oneTarget } from '../container/targets.ts';
import { formatList, type ListFormat } from '../cli/format.ts';
import { decodeBytes } from '../core/bytes.ts';
import { diffContainer, type Change, type ChangeKind } from '../container/files/diff.ts';

export default defineCommand({
  name: 'diff',
  group: 'container',
  summary: 'Show the files that a container added (A), changed (C) or deleted (D)',
  args: 'CONTAINER',
  flags: {
    ...ONE_TARGET_FLAGS,
    format: { type: 'string', value: 'TEMPLATE', help: 'json or a Go template with .Type and .Path' },
  },
  description:
    'Control characters of file names are shown as \\n, \\t or \\xNN, so that each line is one file; --format json has the exact names.',
  examples: ['diff web', 'diff --format json web'],
  async run({ args, flags, cx }) {
    const { target } = oneTarget(cx.paths, { name: 'diff', args: 'CONTAINER' }, args, flags);
    const changes = await diffContainer(cx.paths, target);
    const lines =
      flags.format?.trim() === 'json'
        ? [JSON.stringify(byKind(changes), null, 4)]
        : formatList(changes, FORMAT, flags.format);
    for (const line of lines) cx.io.stdout(line);
    return 0;
  },
});

const FORMAT: ListFormat<Change> = {
  table: '{{.Type}} {{.Path}}',
  fields: {
    Type: { header: 'CHANGE TYPE', value: ({ kind }) => kind },
    Path: { header: 'PATH', value: ({ path }) => escapeControls(nameOf(path)) },
  },
};

/** podman's form: lists that would be empty are left out. */
function byKind(changes: readonly Change[]): Record<string, string[]> {
  const names: Record<ChangeKind, string> = { C: 'changed', A: 'added', D: 'deleted' };
  const lists: Record<string, string[]> = {};
  for (const { kind, path } of changes) (lists[names[kind]] ??= []).push(nameOf(path));
  return lists;
}

function nameOf(path: string): string {
  return decodeBytes(Buffer.from(path, 'latin1'));
}

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\t': '\\t', '\r': '\\r' };

function escapeControls(text: string): string {
  return text.replace(
    /\p{Cc}/gu,
    (unit) => SHORT[unit] ?? `\\x${unit.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}
