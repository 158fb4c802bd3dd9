// One-line descriptions of a container as `ps` prints them. (pure)

import type { ContainerSpec } from '../runtime/spec.ts';
import type { HealthWord } from './health.ts';
import type { ListedState } from './state.ts';

/**
 * `Up 2 minutes`, `Up 2 minutes (healthy)`, `Up 2 minutes (Paused)`, `Restarting (1) 2 seconds ago`,
 * `Exited (1) 3 hours ago`, `Created`; `ago` formats Unix milliseconds as "3 hours ago".
 */
export function statusText(state: ListedState, health: HealthWord, ago: (ms: number) => string): string {
  switch (state.status) {
    case 'created':
      return 'Created';
    case 'running':
      return `${state.startedAtMs === undefined ? 'Up' : `Up ${ago(state.startedAtMs).replace(/ ago$/, '')}`}${state.paused ? ' (Paused)' : HEALTH_TEXT[health]}`;
    case 'restarting':
      return `Restarting (${state.exitCode})${state.finishedAtMs === undefined ? '' : ` ${ago(state.finishedAtMs)}`}`;
    case 'exited':
      return `Exited (${state.exitCode})${state.finishedAtMs === undefined ? '' : ` ${ago(state.finishedAtMs)}`}`;
  }
}

const HEALTH_TEXT: Readonly<Record<HealthWord, string>> = {
  none: '',
  starting: ' (health: starting)',
  healthy: ' (healthy)',
  unhealthy: ' (unhealthy)',
};

export function commandText({ process }: ContainerSpec): string {
  return process.args.join(' ');
}

/** `0.0.0.0:8080->80/tcp, 9000/tcp`: what is published, then what is only exposed. */
export function portsText({ network, config }: ContainerSpec): string {
  const published = network.ports.map(({ hostIp, hostPort, containerPort, protocol }) => {
    const ip = hostIp === '' ? '0.0.0.0' : hostIp.includes(':') ? `[${hostIp}]` : hostIp;
    return `${ip}:${hostPort}->${containerPort}/${protocol}`;
  });
  const taken = new Set(network.ports.map(({ containerPort, protocol }) => `${containerPort}/${protocol}`));
  return [...published, ...config.exposedPorts.filter((port) => !taken.has(port))].join(', ');
}
