// TEMPORARY until src/network/plan.ts lands.
import type { NamespaceChoice, NetworkHelper } from '../native/plan.ts';
import type { ContainerId, ContainerSpec, PublishedPort } from '../runtime/spec.ts';

export interface Network {
  namespace: NamespaceChoice;
  helper: NetworkHelper | undefined;
  files: { target: string; content: string }[];
  ports: PublishedPort[];
  notes: string[];
}

export async function connectNetwork(
  _parts: unknown,
  spec: ContainerSpec,
  joined: { id: ContainerId; pid: number } | undefined,
): Promise<Network> {
  const mode = spec.network.mode;
  const namespace: NamespaceChoice =
    mode === 'host'
      ? { kind: 'host' }
      : joined !== undefined && mode.startsWith('container:')
        ? { kind: 'join', path: `/proc/${joined.pid}/ns/net` }
        : { kind: 'new' };
  return {
    namespace,
    helper: undefined,
    files: [
      { target: '/etc/hosts', content: `127.0.0.1\tlocalhost\n127.0.1.1\t${spec.config.hostname}\n` },
      { target: '/etc/hostname', content: `${spec.config.hostname}\n` },
      { target: '/etc/resolv.conf', content: '' },
    ],
    ports: [],
    notes: [],
  };
}
