// The id map of containers without --userns: what pulls unpack for, and the widest map of the caller, for removing trees.

import type { IdMap } from '../native/plan.ts';
import { readIdMapInput } from '../runtime/idmap-input.ts';
import { chooseIdMap } from '../runtime/idmap.ts';

/** Undefined: no user namespace (root). */
export function defaultIdMap(cx: {
  hostUid: number;
  hostGid: number;
  env: Readonly<Record<string, string | undefined>>;
}): IdMap | undefined {
  return chooseIdMap(readIdMapInput(cx, undefined)).idMap;
}
