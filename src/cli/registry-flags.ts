// The flags that pull, push, login and build share for talking to a registry.

import type { RegistryOptions } from '../registry/types.ts';
import { EngineError } from '../core/errors.ts';

export const REGISTRY_FLAGS = {
  authfile: { type: 'string', value: 'FILE', help: 'file with credentials (default ~/.docker/config.json)' },
  creds: { type: 'string', value: 'USER[:PASSWORD]', help: 'credentials for the registry' },
  'cert-dir': {
    type: 'string',
    value: 'DIR',
    help: 'certificates: *.crt of CAs, *.cert and *.key of the client',
  },
  'tls-verify': { type: 'boolean', help: 'check the certificate of the registry (default true)' },
  retry: { type: 'number', value: 'N', help: 'how often to repeat a request that failed in a passing way' },
  'retry-delay': {
    type: 'string',
    value: 'DURATION',
    help: 'first pause before a repetition: 500ms, 2s (default 1s)',
  },
} as const;

export interface RegistryFlagValues {
  authfile: string | undefined;
  creds: string | undefined;
  'cert-dir': string | undefined;
  'tls-verify': boolean | undefined;
  retry: number | undefined;
  'retry-delay': string | undefined;
}

/** @throws USAGE */
export function registryOptions(flags: RegistryFlagValues): RegistryOptions {
  const { retry } = flags;
  if (retry !== undefined && (!Number.isInteger(retry) || retry < 0)) {
    throw new EngineError('USAGE', `reading --retry "${retry}": not a number of times`);
  }
  return {
    authFile: flags.authfile,
    creds: flags.creds,
    certDir: flags['cert-dir'],
    tlsVerify: flags['tls-verify'],
    retries: retry,
    retryDelayMs: flags['retry-delay'] === undefined ? undefined : parseDuration(flags['retry-delay']),
  };
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** `2s`, `1m30s`, `500ms`; a bare number is seconds. Milliseconds. */
function parseDuration(text: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text) {
    throw new EngineError('USAGE', `reading --retry-delay "${text}": not a duration such as 500ms or 2s`);
  }
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (UNIT_MS[unit as string] as number), 0);
}
