// `skiff system check`: is the store intact, and mending it.

import { defineCommand } from '../../cli/command.ts';
import { openProgress } from '../../cli/progress.ts';
import { REGISTRY_FLAGS, registryOptions } from '../../cli/registry-flags.ts';
import { checkStore, type CheckedImage } from '../../system/check.ts';
import { defaultIdMap } from '../../system/default-idmap.ts';

export default defineCommand({
  name: 'system check',
  summary: 'Check that every image in the store is complete and intact',
  description: 'Exit status 0: all is well, or was repaired; 1: something is damaged.',
  args: '',
  maxArgs: 0,
  flags: {
    format: {
      type: 'string',
      value: 'FORMAT',
      choices: ['text', 'json'],
      default: 'text',
      help: 'text or json',
    },
    quick: { type: 'boolean', short: 'q', help: 'do not read the layers', default: false },
    repair: {
      type: 'boolean',
      short: 'r',
      help: 'fetch what is damaged, and only that, again',
      default: false,
    },
    ...REGISTRY_FLAGS,
  },
  examples: ['system check', 'system check --repair'],
  async run({ flags, cx }) {
    const progress = await openProgress({ io: cx.io, quiet: !flags.repair });
    let images: CheckedImage[];
    try {
      images = await checkStore(cx, {
        quick: flags.quick,
        repair: flags.repair,
        idMap: defaultIdMap(cx),
        registry: registryOptions(flags),
        onEvent: progress.onEvent,
      });
    } finally {
      progress.close();
    }
    for (const image of images) {
      if (flags.format === 'json') cx.io.stdout(JSON.stringify(jsonOf(image)));
      else for (const line of linesOf(image)) cx.io.stdout(line);
    }
    return images.some(({ problems, repaired }) => problems.length > 0 && repaired !== true) ? 1 : 0;
  },
});

function linesOf({ name, problems, repaired, error }: CheckedImage): string[] {
  if (problems.length === 0) return [`${name}: ok`];
  const end =
    repaired === true ? 'repaired' : error === undefined ? 'damaged' : `not repaired: ${error.message}`;
  return [...problems.map(({ text }) => `${name}: ${text}`), `${name}: ${end}`];
}

function jsonOf({ name, problems, repaired, error }: CheckedImage): object {
  return {
    name,
    problems,
    repaired: repaired ?? null,
    ...(error === undefined ? {} : { error: error.message }),
  };
}
