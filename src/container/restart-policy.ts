// --restart: `no`, `on-failure[:N]`, `always`, `unless-stopped`. (pure)

import { EngineError } from '../core/errors.ts';
import type { RestartPolicy } from '../runtime/spec.ts';

const NAMES: readonly RestartPolicy['name'][] = ['no', 'on-failure', 'always', 'unless-stopped'];

/** @throws USAGE */
export function parseRestartPolicy(text: string | undefined): RestartPolicy {
  if (text === undefined || text === '') return { name: 'no', maxRetries: 0 };
  const at = text.indexOf(':');
  const name = NAMES.find((each) => each === (at < 0 ? text : text.slice(0, at)));
  const count = at < 0 ? undefined : text.slice(at + 1);
  if (name === undefined) throw invalid(text, `unknown policy, must be one of ${NAMES.join(', ')}`);
  if (count === undefined) return { name, maxRetries: 0 };
  if (name !== 'on-failure')
    throw invalid(text, `maximum retry count cannot be used with restart policy '${name}'`);
  if (!/^\d{1,9}$/.test(count)) throw invalid(text, 'maximum retry count must be a whole number');
  return { name, maxRetries: Number(count) };
}

function invalid(text: string, why: string): EngineError {
  return new EngineError('USAGE', `--restart ${JSON.stringify(text)}: invalid restart policy: ${why}`);
}
