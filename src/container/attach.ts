// `attach`: this process becomes a client of the monitor that keeps the container.

import { existsSync } from 'node:fs';
import { EngineError } from '../core/errors.ts';
import { launchClient } from '../native/launch.ts';
import type { ContainerSpec } from '../runtime/spec.ts';
import { containerDir, type StoreRoot } from '../store/layout.ts';
import { attachedClient, type Streams } from './client.ts';
import { logContainerEvent, planEvents } from './events.ts';
import { readState } from './state.ts';

export interface AttachFlags {
  sigProxy: boolean;
  detachKeys: string | undefined;
}

/** @throws CONTAINER_STATE (exit status 1) in docker's words when it does not run, or nobody can attach to it; USAGE */
export function attachTo(root: StoreRoot, spec: ContainerSpec, streams: Streams, flags: AttachFlags): never {
  const dir = containerDir(root, spec.id);
  const client = attachedClient(spec, streams, flags);
  const { status, paused } = readState(root, spec.id);
  if (status === 'restarting')
    throw refused('You cannot attach to a restarting container, wait until it is running');
  if (status !== 'running') throw refused('You cannot attach to a stopped container, start it first');
  if (paused) throw refused('You cannot attach to a paused container, unpause it first');
  if (!existsSync(`${dir}/attach`)) {
    throw refused(
      `attaching to container ${JSON.stringify(spec.name)}: its streams are those of the "skiff run --rm" that keeps it`,
      'run it with -d, or without --rm, to attach to it later',
    );
  }
  logContainerEvent(root, spec, 'attach');
  return launchClient(client, dir, spec.name, planEvents(root, spec));
}

function refused(message: string, hint?: string): EngineError {
  return new EngineError('CONTAINER_STATE', message, { hint, exitCode: 1 });
}
