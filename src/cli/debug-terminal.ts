// The caller's terminal, for a shell in a step of a build; who shows the build steps aside meanwhile.

import { closeSync, openSync } from 'node:fs';
import type { DebugTerminal } from '../builder/run/debug-shell.ts';
import { errnoOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { BuildProgressView } from './build-progress-view.ts';
import { writeFully } from './io.ts';
import { visible } from './report.ts';

/** Whatever stdin and stdout are: a Dockerfile may come by the one, the image's id go by the other. */
const TERMINAL = '/dev/tty';

export function debugTerminal(
  view: Pick<BuildProgressView, 'stepAside'>,
  log: Log,
  signal: AbortSignal,
): DebugTerminal {
  return {
    signal,
    async lend(vertex, banner, work) {
      const fd = openTerminal();
      if (fd === undefined) {
        log.warn('--debug-shell: no shell is opened: this process has no terminal');
        return;
      }
      const comeBack = view.stepAside(vertex);
      try {
        writeFully(fd, Buffer.from(banner.map((line) => `${visible(line)}\n`).join('')));
        await work(fd);
      } finally {
        closeSync(fd);
        comeBack();
      }
    },
  };
}

function openTerminal(): number | undefined {
  try {
    return openSync(TERMINAL, 'r+');
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}
