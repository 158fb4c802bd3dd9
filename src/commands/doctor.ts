// `skiff doctor`: checks by trying, and says what to do.

import chalk from 'chalk';
import { defineCommand } from '../cli/command.ts';
import { diagnose, type Finding } from '../system/doctor.ts';

/** On a terminal; chalk leaves a pipe, NO_COLOR and TERM=dumb alone. */
const COLOUR = { ok: chalk.green, note: chalk.cyan, warn: chalk.yellow, fail: chalk.red };

export default defineCommand({
  name: 'doctor',
  group: 'system',
  summary: 'Find out what works on this machine and how to mend what does not',
  args: '',
  maxArgs: 0,
  flags: {
    json: { type: 'boolean', help: 'print the findings as JSON' },
  },
  description:
    'Each check tries what a container needs. The exit status is 0 when containers can be run, else 1. ' +
    'A mend is one command to paste; nothing is changed by doctor itself.',
  examples: ['doctor', 'doctor --json'],
  async run({ flags, cx }) {
    const diagnosis = await diagnose(cx);
    if (flags.json === true) cx.io.stdout(JSON.stringify(diagnosis, null, 2));
    else for (const finding of diagnosis.findings) cx.io.stdout(text(finding));
    return diagnosis.runnable ? 0 : 1;
  },
});

function text({ id, status, summary, mend }: Finding): string {
  const line = `${COLOUR[status](status.padEnd(5))} ${id.padEnd(16)} ${summary}`;
  const indent = ' '.repeat(23);
  return mend === undefined
    ? line
    : `${line}\n${indent}mend: ${mend.command}\n${indent}      (${mend.changes})`;
}
