// How to start this program again, for work that must be done as root of a user namespace.

import { EngineError } from '../core/errors.ts';
import { isCompiled } from './addon.ts';

/**
 * Words before the arguments. Sources run under Bun name main.ts; under Node there is no way.
 * doing: for the message, a gerund
 * @throws HOST_MISSING
 */
export function selfCommand(doing: string): string[] {
  if (isCompiled()) return [process.execPath];
  const main = process.argv[1];
  if (process.versions['bun'] !== undefined && main !== undefined) return [process.execPath, main];
  throw new EngineError('HOST_MISSING', `${doing} in a user namespace needs the built program`, {
    hint: 'run npm run build and use dist/skiff',
  });
}
