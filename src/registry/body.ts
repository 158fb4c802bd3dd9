// Bodies of answers: streams that notice when nothing comes any more or too little came, and small bodies read whole.

import type { IncomingMessage } from 'node:http';
import { EngineError } from '../core/errors.ts';
import { NetworkError } from './network-error.ts';
import type { Body, HttpRequest, HttpResponse } from './types.ts';

/** Rest of a body worth reading to keep the connection. */
const DRAIN_BYTES = 256 * 1024;

/**
 * Wraps the body of `response`. Iterating throws NetworkError `stalled` when the other side sends nothing for `stallMs`
 * (time the reader itself takes does not count) and `reset` when the connection ends before Content-Length.
 */
export function streamBody(request: HttpRequest, response: IncomingMessage, stallMs: number): Body {
  return {
    [Symbol.asyncIterator]: () => iterate(request, response, stallMs),
    async discard() {
      const length = Number(response.headers['content-length'] ?? 0);
      if (request.method !== 'HEAD' && !(length <= DRAIN_BYTES)) {
        response.destroy();
        return;
      }
      let left = DRAIN_BYTES;
      try {
        for await (const chunk of iterate(request, response, Math.min(stallMs, 2000))) {
          left -= chunk.length;
          if (left < 0) break; // leaving the loop destroys the response
        }
      } catch {
        response.destroy();
      }
    },
  };
}

async function* iterate(
  request: HttpRequest,
  response: IncomingMessage,
  stallMs: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const expected = contentLength(response);
  const watch = watchForStalls(request, response, stallMs);
  let received = 0;
  try {
    watch.waiting(true);
    for await (const chunk of response as AsyncIterable<Uint8Array>) {
      watch.waiting(false);
      received += chunk.length;
      yield chunk;
      watch.waiting(true);
    }
  } catch (error) {
    throw error instanceof EngineError ? error : brokenBody(request, error, received, expected);
  } finally {
    watch.stop();
  }
}

/** One timer for the whole body instead of one per chunk. */
function watchForStalls(request: HttpRequest, response: IncomingMessage, stallMs: number) {
  let waitingSince: number | undefined;
  const timer = setInterval(
    () => {
      if (waitingSince === undefined || performance.now() - waitingSince < stallMs) return;
      response.destroy(
        new NetworkError(request, {
          kind: 'stalled',
          text: `${JSON.stringify(request.url.host)} sent nothing for ${Math.round(stallMs / 1000)} s`,
          retryable: true,
        }),
      );
    },
    Math.max(20, Math.min(1000, stallMs / 4)),
  );
  return {
    waiting(isWaiting: boolean) {
      waitingSince = isWaiting ? performance.now() : undefined;
    },
    stop() {
      clearInterval(timer);
    },
  };
}

function brokenBody(
  request: HttpRequest,
  error: unknown,
  received: number,
  expected: number | undefined,
): NetworkError {
  const of = expected === undefined ? '' : ` of ${expected}`;
  return new NetworkError(
    request,
    {
      kind: 'reset',
      text: `${JSON.stringify(request.url.host)} closed the connection after ${received}${of} bytes`,
      retryable: true,
    },
    error,
  );
}

function contentLength(response: IncomingMessage): number | undefined {
  const text = response.headers['content-length'];
  return text !== undefined && /^[0-9]+$/.test(text) ? Number(text) : undefined;
}

/** What an aborted signal becomes. */
export function cancelled(request: Pick<HttpRequest, 'context'>): EngineError {
  return new EngineError('CANCELLED', `${request.context}: cancelled`);
}

/**
 * The whole body of an answer, or undefined when it is longer than `maxBytes` (the rest is not read).
 * @throws NetworkError when the body breaks off
 */
export async function readBody(response: HttpResponse, maxBytes: number): Promise<Buffer | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body) {
    size += chunk.length;
    if (size > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The first `maxBytes` of a body as text, for messages; '' when it cannot be read. */
export async function readErrorText(response: HttpResponse, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of response.body) {
      chunks.push(chunk.subarray(0, maxBytes - size));
      size += chunk.length;
      if (size >= maxBytes) break;
    }
  } catch {
    // what came until then has to do
  }
  return Buffer.concat(chunks).toString('utf8');
}
