// --restart: `no`, `on-failure[:N]`, `always`, `unless-stopped`; and the file `restart`, by which a monitor learns of another
// policy than that it was started with.

import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { EngineError } from '../../core/errors.ts';
import type { RestartPolicy } from '../../runtime/spec.ts';
import { storeIo } from '../../store/io.ts';

const NAMES: readonly RestartPolicy['name'][] = ['no', 'on-failure', 'always', 'unless-stopped'];

/** (pure) @throws USAGE */
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

/**
 * For the monitor that keeps the container right now: native/helper/restart_policy.cc reads it at the end of a run. What may
 * fail for want of space is done at once, the rest by the function returned.
 */
export function stageRestartPolicy(dir: string, policy: RestartPolicy): () => void {
  const temp = `${dir}/restart.tmp`;
  storeIo('writing', temp, () => writeFileSync(temp, `${policyLine(policy)}\n`, { mode: 0o600 }));
  return () => renameSync(temp, `${dir}/restart`);
}

/** What a monitor does differs in these alone. (pure) */
export function policyLine({ name, maxRetries }: RestartPolicy): string {
  if (name === 'on-failure') return `on-failure ${maxRetries}`;
  return name === 'no' ? 'no' : 'always';
}

/** By a start, whose plan says what config.json says. */
export function clearNewRestartPolicy(dir: string): void {
  rmSync(`${dir}/restart`, { force: true });
}
