// `container:X` where X itself has the host's namespace. That one is owned by the host's user namespace, so nobody can join
// it from X's; but a process has it from the start, as X did. (pure)

import type { ContainerId, ContainerSpec, NamespaceMode } from '../../runtime/spec.ts';

/** Chains are short: every link was a container that ran when the next was made. */
const LONGEST_CHAIN = 16;

/** The spec as it is carried out; what it says of itself (inspect) is left alone. */
export function withHostNamespaces(
  spec: ContainerSpec,
  lookUp: (id: ContainerId) => ContainerSpec | undefined,
): ContainerSpec {
  const isHosts = (of: (spec: ContainerSpec) => NamespaceMode): boolean => {
    let mode = of(spec);
    for (let i = 0; i < LONGEST_CHAIN && mode.kind === 'container'; i++) {
      const other = lookUp(mode.id);
      if (other === undefined) return false;
      mode = of(other);
    }
    return mode.kind === 'host';
  };
  const [pid, ipc, net] = [isHosts(pidMode), isHosts(ipcMode), isHosts(netMode)];
  if (!pid && !ipc && !net) return spec;
  const host: NamespaceMode = { kind: 'host' };
  return {
    ...spec,
    host: { ...spec.host, ...(pid ? { pidMode: host } : {}), ...(ipc ? { ipcMode: host } : {}) },
    network: net ? { ...spec.network, mode: 'host' } : spec.network,
  };
}

const pidMode = ({ host }: ContainerSpec): NamespaceMode => host.pidMode;
const ipcMode = ({ host }: ContainerSpec): NamespaceMode => host.ipcMode;

function netMode({ network: { mode } }: ContainerSpec): NamespaceMode {
  if (mode.startsWith('container:'))
    return { kind: 'container', id: mode.slice('container:'.length) as ContainerId };
  return mode === 'host' ? { kind: 'host' } : { kind: 'private' };
}
