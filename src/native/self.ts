// How to start this program again, for work that must be done as root of a user namespace.

import { EngineError } from '../core/errors.ts';
import { isCompiled } from './addon.ts';

/** What the configuration decides is in the request: the child reads no file, whatever is wrong with one. */
const NO_CONFIG = ['--config', '/dev/null'];

/**
 * Words before the arguments. Sources run under Bun name main.ts; under Node there is no way.
 * doing: for the message, a gerund
 * @throws HOST_MISSING
 */
export function selfCommand(doing: string): string[] {
  if (isCompiled()) return [process.execPath, ...NO_CONFIG];
  const main = process.argv[1];
  if (process.versions['bun'] !== undefined && main !== undefined)
    return [process.execPath, main, ...NO_CONFIG];
  throw new EngineError('HOST_MISSING', `${doing} in a user namespace needs the built program`, {
    hint: 'run npm run build and use dist/skiff',
  });
}
