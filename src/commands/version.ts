// `skiff version`: client and engine are one program; both sections exist because scripts read docker's.

import { defineCommand } from '../cli/command.ts';
import { VERSION } from '../core/version.ts';

export default defineCommand({
  name: 'version',
  summary: 'Show the version',
  args: '',
  maxArgs: 0,
  flags: {
    format: { type: 'string', short: 'f', value: 'TEMPLATE', help: 'print by a Go template, or "json"' },
  },
  run({ cx }) {
    cx.io.stdout(VERSION);
    return 0;
  },
});
