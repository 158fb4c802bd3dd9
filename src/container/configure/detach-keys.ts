// --detach-keys: `ctrl-p,ctrl-q`, docker's notation. (pure)

import { EngineError } from '../../core/errors.ts';

export const DEFAULT_DETACH_KEYS = 'ctrl-p,ctrl-q';

/** As many as the helper looks for. */
const MAX_KEYS = 16;

/** The bytes that a terminal sends for those keys; none for ''. @throws USAGE */
export function parseDetachKeys(text: string): Uint8Array {
  if (text === '') return new Uint8Array();
  const keys = text.split(',').map((key) => {
    if (/^[\x21-\x7e]$/.test(key)) return key.charCodeAt(0);
    const control = /^ctrl-([a-zA-Z@[\\\]^_])$/.exec(key)?.[1];
    if (control !== undefined) return control.toUpperCase().charCodeAt(0) & 0x1f;
    if (key === 'DEL') return 0x7f;
    throw new EngineError(
      'USAGE',
      `--detach-keys ${JSON.stringify(text)}: unknown key ${JSON.stringify(key)}`,
      {
        hint: 'give letters or ctrl-LETTER, separated by commas, for example ctrl-p,ctrl-q',
      },
    );
  });
  if (keys.length > MAX_KEYS)
    throw new EngineError('USAGE', `--detach-keys ${JSON.stringify(text)}: at most ${MAX_KEYS} keys`);
  return Uint8Array.from(keys);
}
