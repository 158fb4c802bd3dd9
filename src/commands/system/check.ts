// `skiff system check`: is the store intact, and mending it.

import { defineCommand } from '../../cli/command.ts';
import { openProgress } from '../../cli/progress.ts';
import { REGISTRY_FLAGS, registryOptions } from '../../cli/registry-flags.ts';
import { checkStore, type CheckedImage } from '../../system/check.ts';
import { defaultIdMap } from '../../system/default-idmap.ts';
import { checkVolumes, type CheckedVolume } from '../../volume/check.ts';

export default defineCommand({
  name: 'system check',
  summary: 'Check that images and volumes in the store are complete and intact',
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
    const volumes = checkVolumes(cx.paths, { repair: flags.repair });
    for (const volume of volumes) {
      if (flags.format === 'json') cx.io.stdout(JSON.stringify(volumeJson(volume)));
      else for (const line of volumeLines(volume)) cx.io.stdout(line);
    }
    const all = [...images, ...volumes];
    return all.some(({ problems, repaired }) => problems.length > 0 && repaired !== true) ? 1 : 0;
  },
});

function linesOf({ name, problems, repaired, error }: CheckedImage): string[] {
  if (problems.length === 0) return [`${name}: ok`];
  const end =
    repaired === true ? 'repaired' : error === undefined ? 'damaged' : `not repaired: ${error.message}`;
  return [...problems.map(({ text }) => `${name}: ${text}`), `${name}: ${end}`];
}

/** A volume that is well is not worth a line: there may be many. */
function volumeLines({ name, problems, repaired }: CheckedVolume): string[] {
  if (problems.length === 0) return [];
  const lines = problems.map((text) => `volume ${name}: ${text}`);
  return [...lines, `volume ${name}: ${repaired === true ? 'repaired' : 'damaged'}`];
}

function volumeJson({ name, problems, repaired }: CheckedVolume): object {
  return {
    name: `volume ${name}`,
    problems: problems.map((text) => ({ kind: 'volume', text })),
    repaired: repaired ?? null,
  };
}

function jsonOf({ name, problems, repaired, error }: CheckedImage): object {
  return {
    name,
    problems,
    repaired: repaired ?? null,
    ...(error === undefined ? {} : { error: error.message }),
  };
}
