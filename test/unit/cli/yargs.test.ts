// One table, two readers: yargs must read what parse.ts reads, but for the rows that say why not.

import { expect, it } from 'vitest';
import type { CommandSpec } from '../../../src/cli/command.ts';
import { parseCommand } from '../../../src/cli/parse.ts';
import { yargsFor } from '../../../src/cli/yargs.ts';
import { ACCEPTED, listLike, runLike } from './parse.cases.ts';

const SPECS = { run: runLike as unknown as CommandSpec, list: listLike as unknown as CommandSpec };
const shared = ACCEPTED.filter((row) => row.ownOnly === undefined);

it.each(shared)('both read $on $argv alike', async ({ on, argv }) => {
  const { _: args, ...flags } = await yargsFor(SPECS[on]).parseAsync(argv);
  const ours = parseCommand(SPECS[on], argv);
  const given = Object.fromEntries(
    Object.entries(flags).filter(([name, value]) => name !== '$0' && value !== undefined),
  );
  expect({ args: args.map(String), ...given }).toEqual({ args: ours.args, ...ours.flags, ...ours.globals });
});

it('compares most of the corpus', () => {
  expect(shared.length).toBeGreaterThanOrEqual(35);
});
