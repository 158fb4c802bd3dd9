// What `build` was asked for: flags as judged, nothing read yet but secrets' places.

import type { PullPolicy } from '../image/ensure-image.ts';
import type { RegistryOptions } from '../registry/types.ts';
import type { Ulimit } from '../runtime/ulimits.ts';
import type { SecretSource } from './secrets.ts';

/** How every RUN is run. Ulimits, hosts and /dev/shm can show in a layer, so they belong to the keys. */
export interface RunSettings {
  /** --network: what RUN without a --network of its own gets. */
  network: string;
  addHost: readonly string[];
  ulimits: readonly Ulimit[];
  shmSizeBytes: number;
  secrets: ReadonlyMap<string, SecretSource>;
  /** Id → socket of an agent. */
  ssh: ReadonlyMap<string, string>;
  /** --allow */
  entitlements: ReadonlySet<string>;
  /** --timestamp now: files keep the times at which they were made. */
  keepTimes: boolean;
}

export interface PullSettings {
  policy: PullPolicy;
  registry: RegistryOptions | undefined;
}
