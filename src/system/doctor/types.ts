// What a probe of `skiff doctor` finds, and what all probes may use.

import type { Paths } from '../../core/paths.ts';

/** fail: nothing runs. warn: something asked for later will not work. note: good to know. */
export type Status = 'ok' | 'note' | 'warn' | 'fail';

export interface Mend {
  /** One command to paste. */
  command: string;
  /** What it changes, and for how long. */
  changes: string;
}

export interface Finding {
  /** Stable, for scripts: `id-ranges`. */
  id: string;
  status: Status;
  /** What was tried and what came of it: one line. */
  summary: string;
  mend?: Mend;
}

export interface DoctorParts {
  paths: Paths;
  env: Readonly<Record<string, string | undefined>>;
  hostUid: number;
  hostGid: number;
}

/** `sudo ` for those who need it. */
export function sudo({ hostUid }: Pick<DoctorParts, 'hostUid'>, command: string): string {
  return hostUid === 0 ? command : `sudo ${command}`;
}
