// --pid, --ipc, --uts, --cgroupns: own, the host's, or another container's. (pure)

import { EngineError } from '../../core/errors.ts';
import type { ContainerId, NamespaceMode } from '../../runtime/spec.ts';

/** Which spellings each flag takes for "its own", and whether another container's can be joined. */
const RULES: Readonly<Record<string, { own: readonly string[]; join: boolean }>> = {
  '--pid': { own: ['private'], join: true },
  '--ipc': { own: ['private', 'shareable'], join: true },
  '--uts': { own: ['private'], join: false },
  '--cgroupns': { own: ['private'], join: false },
};

/** @throws USAGE; CONTAINER_NOT_FOUND through `resolve` */
export function parseNamespaceMode(
  flag: string,
  text: string | undefined,
  resolve: (reference: string) => ContainerId,
): NamespaceMode {
  const { own, join } = RULES[flag] as { own: readonly string[]; join: boolean };
  if (text === undefined || text === '' || own.includes(text)) return { kind: 'private' };
  if (text === 'host') return { kind: 'host' };
  if (join && text.startsWith('container:') && text.length > 'container:'.length) {
    return { kind: 'container', id: resolve(text.slice('container:'.length)) };
  }
  throw new EngineError(
    'USAGE',
    `${flag} ${JSON.stringify(text)}: expected ${own.join(', ')}, host${join ? ' or container:NAME' : ''}`,
  );
}
