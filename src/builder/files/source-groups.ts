// The sources of one COPY or ADD, by where they are. (pure)

import { EngineError } from '../../core/errors.ts';
import { parseRemoteSource, type RemoteSource } from '../context/remote-source.ts';
import type { FilesVertex } from '../graph.ts';

/** Sources that are copied at once: those of the origin side by side, each remote one by itself. */
export interface SourceGroup {
  sources: readonly string[];
  remote: RemoteSource | undefined;
}

/** In the order of the instruction. @throws USAGE (exit status 1) for a --checksum of local files */
export function groupsOf({
  isAdd,
  sources,
  checksum,
}: Pick<FilesVertex, 'isAdd' | 'sources' | 'checksum'>): SourceGroup[] {
  const groups: { sources: string[]; remote: RemoteSource | undefined }[] = [];
  for (const source of sources) {
    const remote = isAdd ? parseRemoteSource(source) : undefined;
    const last = groups.at(-1);
    if (remote === undefined && last !== undefined && last.remote === undefined) last.sources.push(source);
    else groups.push({ sources: [source], remote });
  }
  if (checksum !== undefined && groups.some(({ remote }) => remote === undefined))
    throw new EngineError('USAGE', "checksum can't be specified for non-HTTP(S) sources", { exitCode: 1 });
  return groups;
}
