// One row of the corpus: a Dockerfile, its context, and all that must come of it.

import type { TarEntry } from '../../helpers/tar-writer.ts';

/** A file of a context. A string is the content of a file of mode 0644. */
export type ContextFile =
  | string
  | { text: string; mode?: number; xattrs?: Record<string, string> }
  | { dir: number }
  | { link: string }
  | { tar: TarEntry[]; compress?: 'gzip' }
  | { bytes: Uint8Array }
  | { node: 'fifo' | 'socket' };

export interface Row {
  name: string;
  /** Built FROM scratch where it has no FROM of its own. */
  dockerfile: string;
  context?: Record<string, ContextFile>;
  /** Words before the context. `{dir}` is the folder of the row. */
  flags?: string[];
  /** Fields of the configuration; what is not named here is not looked at. */
  config?: Record<string, unknown>;
  /**
   * The file system, or how it differs from that of busybox where it is built on that; one line a file:
   * `d 755 0:0 /dir`, `f 644 1:2 /file = content`, `l 777 0:0 /link -> target`, `h /second == /first`, `- /removed`.
   */
  files?: string;
  /** Something that the progress on stderr says. */
  prints?: RegExp;
  /** The build ends with 1, or `status`, and these words. */
  fails?: RegExp;
  status?: number;
  /** History entries of its own, `created_by`. */
  history?: string[];
  /**
   * What podman makes of it: nothing here: the same; `differs`: something else, as docker's BuildKit is the measure; `lacks`:
   * it does not know this. Each with the reason.
   */
  podman?: { differs: string } | { lacks: string };
}

/** The Dockerfile as it is built. */
export function dockerfileOf({ dockerfile }: Row): string {
  return /^\s*FROM\b/im.test(dockerfile) ? dockerfile : `FROM scratch\n${dockerfile}`;
}
