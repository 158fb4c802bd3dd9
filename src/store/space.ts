// Room in the store's file system, looked at before something large is begun.

import { encodeBytes } from '../core/bytes.ts';
import { addon } from '../native/addon.ts';
import { noSpace, storeIo } from './io.ts';
import type { StoreRoot } from './layout.ts';

/** Bytes an ordinary user may still write. */
export function availableBytes({ graphRoot }: StoreRoot): number {
  return storeIo('looking at', graphRoot, () => addon().statfs(encodeBytes(graphRoot)).availableBytes);
}

/** @throws NO_SPACE with both numbers when `neededBytes` certainly do not fit */
export function checkFreeSpace(root: StoreRoot, doing: string, neededBytes: number): void {
  const available = availableBytes(root);
  if (neededBytes <= available) return;
  throw noSpace(
    `${doing}: ${neededBytes} bytes are needed in "${root.graphRoot}", ${available} are free`,
    undefined,
  );
}
