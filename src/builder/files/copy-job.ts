// What one copy is to do, and what it asks for: the shapes between COPY, ADD and mounts and what copies for them. (pure)

import type { Owner } from '../context/chown.ts';
import type { CopyRequest, SelectedSource, Selection } from '../context/types.ts';
import type { CopySource } from '../copy/requests.ts';
import type { FilesVertex } from '../graph.ts';

/** What a source came to, and where it is copied from. */
export interface FoundFiles {
  selection: Selection;
  source: CopySource;
}

export interface CopyJob {
  source: CopySource;
  sources: readonly SelectedSource[];
  inline: readonly { name: string; content: string }[];
  destination: string;
  owner: Owner | undefined;
  chmod: string | undefined;
  unpack: boolean;
  timeSec: number | undefined;
  doing: string;
}

/** Without the owner, which only the image that is copied to can name: it has a part of the key for itself. */
export function requestOf({ sources, parents, exclude, chmod }: FilesVertex): CopyRequest {
  return { sources, parents, exclude, owner: undefined, chmod };
}

export function bindRequest(source: string): CopyRequest {
  return { sources: [source], parents: false, exclude: [], owner: undefined, chmod: undefined };
}

export function ownedBy(source: SelectedSource, owner: Owner | undefined): SelectedSource {
  if (owner === undefined) return source;
  const { uid: containerUid, gid: containerGid } = owner;
  return { ...source, files: source.files.map((file) => ({ ...file, containerUid, containerGid })) };
}
