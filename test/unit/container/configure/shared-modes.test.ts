import { expect, test } from 'vitest';
import { withHostNamespaces } from '../../../../src/container/configure/shared-modes.ts';
import type { ContainerId, ContainerSpec, NamespaceMode } from '../../../../src/runtime/spec.ts';
import { specOf } from '../spec.ts';

const HOST: NamespaceMode = { kind: 'host' };
const OWN: NamespaceMode = { kind: 'private' };
const of = (id: string): NamespaceMode => ({ kind: 'container', id: id as ContainerId });

function make(pidMode: NamespaceMode, ipcMode: NamespaceMode, mode: string): ContainerSpec {
  const spec = specOf();
  return { ...spec, host: { ...spec.host, pidMode, ipcMode }, network: { ...spec.network, mode } };
}

const OTHERS: Readonly<Record<string, ContainerSpec>> = {
  host: make(HOST, HOST, 'host'),
  own: make(OWN, OWN, 'none'),
  chain: make(of('host'), of('own'), 'container:host'),
  circle: make(of('circle'), of('circle'), 'container:circle'),
};

test.each<[NamespaceMode, NamespaceMode, string, NamespaceMode, NamespaceMode, string]>([
  [OWN, OWN, 'default', OWN, OWN, 'default'],
  [HOST, OWN, 'host', HOST, OWN, 'host'],
  [of('own'), of('own'), 'container:own', of('own'), of('own'), 'container:own'],
  [of('host'), OWN, 'none', HOST, OWN, 'none'],
  [OWN, of('host'), 'none', OWN, HOST, 'none'],
  [OWN, OWN, 'container:host', OWN, OWN, 'host'],
  [of('chain'), of('chain'), 'container:chain', HOST, of('chain'), 'host'],
  [of('gone'), of('circle'), 'container:gone', of('gone'), of('circle'), 'container:gone'],
])('%j %j %s', (pid, ipc, net, pidMode, ipcMode, mode) => {
  const spec = make(pid, ipc, net);
  const before = structuredClone(spec);
  const { host, network } = withHostNamespaces(spec, (id) => OTHERS[id]);
  expect([host.pidMode, host.ipcMode, network.mode]).toEqual([pidMode, ipcMode, mode]);
  expect(spec).toEqual(before);
});
