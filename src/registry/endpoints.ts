// From a registry's name and the configuration to the places to ask, in order: mirrors, then the registry itself. Pure.

import { parseMirror, type Config } from '../core/config.ts';
import { EngineError } from '../core/errors.ts';
import { DEFAULT_REGISTRY } from '../core/reference.ts';
import { isLoopback, splitHostPort } from './hosts.ts';
import type { RegistryOptions } from './types.ts';

/** docker.io is a name; its API is served here. */
const DOCKER_HUB_API = 'registry-1.docker.io';

export interface Endpoint {
  /** The name credentials are kept under: `docker.io`, `mirror.example:5000`. */
  name: string;
  /** `host[:port]` of the API. */
  host: string;
  /** Put before the repository: a mirror at `host/prefix`. No slashes at its ends; often empty. */
  prefix: string;
  /** Tried in this order until one answers. */
  schemes: readonly ('https' | 'http')[];
  isMirror: boolean;
}

type EndpointConfig = Pick<Config, 'mirrors' | 'insecureRegistries'>;

/** Mirrors in the order of the configuration, then the registry. Never empty; the registry is the last. */
export function endpointsFor(registry: string, config: EndpointConfig, options: RegistryOptions): Endpoint[] {
  const mirrors = (config.mirrors[registry] ?? []).map((text) => mirrorEndpoint(text, config, options));
  const host = registry === DEFAULT_REGISTRY ? DOCKER_HUB_API : registry;
  const schemes = schemesFor(host, config, options);
  return [...mirrors, { name: registry, host, prefix: '', schemes, isMirror: false }];
}

/** `host[:port][/prefix]`, or with https:// or http:// in front; the latter means plain http alone. */
function mirrorEndpoint(text: string, config: EndpointConfig, options: RegistryOptions): Endpoint {
  const parts = parseMirror(text);
  if (parts === undefined) {
    throw new EngineError(
      'CONFIG_INVALID',
      `reading the mirrors of the configuration: ${JSON.stringify(text)} is not a mirror`,
      {
        hint: 'write host[:port][/path], with http:// in front for a mirror without TLS',
      },
    );
  }
  const { scheme, host, path } = parts;
  const schemes = scheme === 'http' ? (['http'] as const) : schemesFor(host, config, options);
  return { name: host, host, prefix: path.replace(/^\/+|\/+$/g, ''), schemes, isMirror: true };
}

function schemesFor(host: string, config: EndpointConfig, options: RegistryOptions): Endpoint['schemes'] {
  return isInsecure(host, config, options) ? ['https', 'http'] : ['https'];
}

/**
 * True when `host[:port]` may be spoken to without verified TLS: --tls-verify=false, a registry marked insecure, or
 * loopback (docker's rule). --tls-verify=true overrides both of the latter.
 */
export function isInsecure(host: string, config: EndpointConfig, options: RegistryOptions): boolean {
  if (options.tlsVerify !== undefined) return !options.tlsVerify;
  const { hostname } = splitHostPort(host);
  return (
    isLoopback(hostname) || config.insecureRegistries.some((entry) => marks(entry.trim(), host, hostname))
  );
}

/** An entry without port marks every port of its host. `*.example.com` marks the hosts below it. */
function marks(entry: string, host: string, hostname: string): boolean {
  if (entry === '') return false;
  const wanted = entry.toLowerCase();
  if (wanted.startsWith('*.')) return hostname.toLowerCase().endsWith(wanted.slice(1));
  return wanted === host.toLowerCase() || wanted === hostname.toLowerCase();
}
