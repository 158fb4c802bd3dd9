// What a build gets from the outside, passed down whole or in part.

import type { Config } from '../core/config.ts';
import type { Log } from '../core/log.ts';
import type { Paths } from '../core/paths.ts';
import type { IdMapChoice } from '../runtime/idmap.ts';

export interface BuildParts {
  paths: Paths;
  config: () => Config;
  env: Readonly<Record<string, string | undefined>>;
  log: Log;
  signal: AbortSignal;
  hostUid: number;
  hostGid: number;
}

/** The ids that steps run with. */
export type BuildIds = Pick<IdMapChoice, 'user' | 'idMap' | 'mapKey'>;
