// How this program is started again: for work that needs a process of its own, mostly as root of a user namespace.

import { EngineError } from '../core/errors.ts';
import { isCompiled } from './addon.ts';

/** Sources run under Bun name main.ts; under Node there is no way. @throws HOST_MISSING */
export function selfCommand(): string[] {
  if (isCompiled()) return [process.execPath];
  const main = process.argv[1];
  if (process.versions['bun'] !== undefined && main !== undefined) return [process.execPath, main];
  throw new EngineError('HOST_MISSING', 'working in a user namespace needs the built program', {
    hint: 'run npm run build and use dist/skiff',
  });
}
