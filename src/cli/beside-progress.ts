// Warnings and notes that come while a view of progress is up.

import type { Log } from '../core/log.ts';

export function besideProgress(log: Log, view: { around(print: () => void): void }): Log {
  return {
    warn: (message) => view.around(() => log.warn(message)),
    info: (message) => view.around(() => log.info(message)),
    debug: (message) => view.around(() => log.debug(message)),
  };
}
