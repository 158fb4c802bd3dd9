// A registry client for tests: nothing of the caller's environment, a recorded log, short time limits, no waits.

import { createRegistryClient } from '../../src/registry/client.ts';
import type { RegistryClient, RegistryParts } from '../../src/registry/types.ts';

export interface TestClient extends RegistryClient {
  warnings: string[];
  /** Milliseconds the client would have waited between tries. */
  waits: number[];
}

export type TestClientParts = Omit<Partial<RegistryParts>, 'config'> & {
  config?: Partial<RegistryParts['config']>;
};

export function testClient(parts: TestClientParts = {}): TestClient {
  const warnings: string[] = [];
  const waits: number[] = [];
  const client = createRegistryClient({
    env: { PATH: '/usr/bin:/bin' },
    home: '/nonexistent',
    timeouts: { connectMs: 2000, headersMs: 500, stallMs: 200 },
    sleep: async (ms) => void waits.push(ms),
    ...parts,
    config: { offline: false, mirrors: {}, insecureRegistries: [], ...parts.config },
    log: parts.log ?? { warn: (text) => warnings.push(text), info() {}, debug() {} },
  });
  return { ...client, warnings, waits };
}

export async function collect(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}
