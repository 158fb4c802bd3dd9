// Mirrors in turn, then the registry itself. Whatever a mirror does wrong leads on to the next place, also in the middle
// of a blob; only what the registry says becomes an error.

import { EngineError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { fetchBlob, registrySource } from './blobs.ts';
import type { BlobQuery } from './blobs.ts';
import { RegistryError } from './errors.ts';
import { NetworkError } from './network-error.ts';
import type { Session } from './session.ts';
import type { BlobStream } from './types.ts';

export interface Failover {
  /** Runs `work` with the first endpoint of `registry` that can do it. */
  run<T>(registry: string, work: (session: Session) => Promise<T>): Promise<T>;
  openBlob(registry: string, query: BlobQuery, skipMirrors: boolean): Promise<BlobStream>;
}

/** `sessionsFor` gives the endpoints of a registry in order, the registry last. */
export function createFailover(sessionsFor: (registry: string) => Session[], log: Log): Failover {
  // Mirrors that did not answer are not asked again by this client.
  const dead = new Set<Session>();

  const note = (session: Session, error: unknown): void => {
    if (!(error instanceof EngineError) || error.code === 'CANCELLED' || error.code === 'OFFLINE')
      throw error;
    const mirror = `the mirror ${JSON.stringify(session.endpoint.name)}`;
    if (error instanceof RegistryError && error.status === 404) {
      log.debug(`${mirror} does not have it: ${error.message}`);
      return;
    }
    if (error instanceof NetworkError) dead.add(session);
    log.warn(`${mirror} is passed over: ${error.message}`);
  };

  const runFrom = async <T>(
    sessions: Session[],
    start: number,
    work: (session: Session, index: number) => Promise<T>,
  ): Promise<T> => {
    for (const [index, session] of sessions.entries()) {
      if (index < start || dead.has(session)) continue;
      try {
        return await work(session, index);
      } catch (error) {
        if (index === sessions.length - 1) throw error;
        note(session, error);
      }
    }
    throw new Error('a registry without endpoints');
  };

  const openFrom = (sessions: Session[], start: number, query: BlobQuery): Promise<BlobStream> =>
    runFrom(sessions, start, async (session, index) => {
      const stream = await fetchBlob(registrySource(session, query), query);
      return index === sessions.length - 1
        ? stream
        : { ...stream, body: switching(sessions, index, query, stream.body) };
    });

  /** Reads from a mirror; when that fails for good, the rest comes from the next endpoint. */
  async function* switching(
    sessions: Session[],
    index: number,
    query: BlobQuery,
    body: AsyncIterable<Uint8Array>,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    let position = query.offset;
    try {
      for await (const chunk of body) {
        position += chunk.length;
        yield chunk;
      }
      return;
    } catch (error) {
      note(sessions[index] as Session, error);
    }
    yield* (await openFrom(sessions, index + 1, { ...query, offset: position })).body;
  }

  return {
    run: (registry, work) => runFrom(sessionsFor(registry), 0, work),
    openBlob(registry, query, skipMirrors) {
      const sessions = sessionsFor(registry);
      return openFrom(sessions, skipMirrors ? sessions.length - 1 : 0, query);
    },
  };
}
