// What the hidden command `__files` is asked to do with a container's root file system.

import type { ByteString } from '../../image/layer/entry.ts';

/** Where the root is: a mount made for the child, or that of a running container by its init. */
export type RootPlace = { path: string } | { pid: number };

export interface ExportRequest {
  kind: 'export';
  root: RootPlace;
  /** Container paths of directories whose content is not exported. */
  volumes: readonly ByteString[];
}

export type FilesRequest = ExportRequest;
