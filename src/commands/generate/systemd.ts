// `skiff generate systemd`: a unit that starts a container at boot, since there is no daemon to do it.

import { writeSync } from 'node:fs';
import { defineCommand } from '../../cli/command.ts';
import { flagWords } from '../../cli/flag-words.ts';
import { findContainer } from '../../container/records.ts';
import { systemdUnit } from '../../container/systemd/generate.ts';
import { openOutputFile } from '../../core/output-file.ts';

export default defineCommand({
  name: 'generate systemd',
  summary: 'Print a systemd unit that keeps a container running',
  args: 'CONTAINER',
  minArgs: 1,
  maxArgs: 1,
  flags: {
    after: { type: 'list', value: 'UNIT', help: 'start after that unit too' },
    'container-prefix': {
      type: 'string',
      value: 'TEXT',
      default: 'container',
      help: "how the unit's name begins",
    },
    env: { type: 'list', short: 'e', value: 'NAME[=VALUE]', help: 'set a variable for skiff itself' },
    files: {
      type: 'boolean',
      short: 'f',
      help: 'write NAME.service into this directory, and print its path',
    },
    format: {
      type: 'string',
      value: 'FORMAT',
      choices: ['json'],
      help: 'print an object: name of the unit, text',
    },
    name: { type: 'boolean', short: 'n', help: 'address the container by its name, not its id' },
    new: { type: 'boolean', help: 'make a new container at each start, by the flags this one was made with' },
    'no-header': { type: 'boolean', help: 'leave out the comment that says how to enable it' },
    requires: { type: 'list', value: 'UNIT', help: 'fail when that unit cannot be started' },
    'restart-policy': {
      type: 'string',
      value: 'POLICY',
      help: "systemd's Restart= (on-failure, or the container's own)",
    },
    'restart-sec': { type: 'number', value: 'SECONDS', help: 'time before a restart' },
    separator: { type: 'string', value: 'TEXT', default: '-', help: 'between prefix and name' },
    'start-timeout': { type: 'number', value: 'SECONDS', help: 'time for skiff to be started' },
    'stop-timeout': {
      type: 'number',
      short: 't',
      aliases: ['time'],
      value: 'SECONDS',
      help: "time until the container is killed (the container's own, or 10); -1: never",
    },
    wants: { type: 'list', value: 'UNIT', help: 'start that unit as well' },
  },
  examples: [
    'generate systemd --name web >~/.config/systemd/user/container-web.service',
    'generate systemd --new --files --name web',
  ],
  run({ args, flags, cx }) {
    const unit = systemdUnit({
      spec: findContainer(cx.paths, args[0] as string),
      flags: {
        ...flags,
        name: flags.name === true,
        new: flags.new === true,
        header: flags['no-header'] !== true,
      },
      program: process.execPath,
      graphRoot: cx.paths.graphRoot,
      env: cx.env,
      forRoot: cx.hostUid === 0,
      runWords: (recipe) => [...flagWords(recipe.flags), ...recipe.words],
    });
    for (const note of unit.notes) cx.log.warn(note);
    const shown = flags.files === true ? writeUnit(unit.name, unit.text) : unit.text;
    const text = flags.format === 'json' ? JSON.stringify({ [unit.name]: shown }, null, 2) : shown;
    cx.io.stdout(text.trimEnd());
    return 0;
  },
});

function writeUnit(name: string, text: string): string {
  const path = `${process.cwd()}/${name}.service`;
  const file = openOutputFile(path);
  try {
    writeSync(file.fd, text);
    file.commit();
  } finally {
    file.discard();
  }
  return path;
}
