// What skiff and its child `__unpack` say to each other: a request as one JSON argument, a reply as one JSON line. An
// argument may not be longer than 128 KiB (MAX_ARG_STRLEN), so what a layer can make long is on stdin.

import { EngineError, type ErrorCode } from '../../core/errors.ts';
import type { Digest } from '../../core/digest.ts';
import type { CompleteRequest } from './complete.ts';
import type { UnpackedHere } from './unpack-here.ts';

/** `parent`: pid of who asks. A child that outlived it would write into a tree that another process clears away. */
export type UnpackRequest = { parent: number } & (
  | { kind: 'unpack'; diffId: Digest; dest: string }
  /** stdin: a CompleteRequest. */
  | { kind: 'complete' }
);

type Reply = { ok: UnpackedHere } | { error: { code: ErrorCode; message: string; hint?: string } };

export function encodeRequest(request: UnpackRequest): string {
  return JSON.stringify(request);
}

/** The argument comes from ourselves, so its shape is not checked again. */
export function decodeRequest(text: string): UnpackRequest {
  return JSON.parse(text) as UnpackRequest;
}

export function encodeComplete(request: CompleteRequest): string {
  return JSON.stringify(request);
}

export function decodeComplete(text: string): CompleteRequest {
  return JSON.parse(text) as CompleteRequest;
}

export function encodeReply(result: UnpackedHere): string {
  return JSON.stringify({ ok: result } satisfies Reply);
}

export function encodeFailure(error: unknown): string {
  const known = error instanceof EngineError;
  const message = error instanceof Error ? error.message : String(error);
  const hint = known && error.hint !== undefined ? { hint: error.hint } : {};
  return JSON.stringify({ error: { code: known ? error.code : 'IO', message, ...hint } } satisfies Reply);
}

/** @throws what the child reports, or IO when it died without a word. */
export function decodeReply(text: string, status: number, dest: string): UnpackedHere {
  let reply: Reply;
  try {
    reply = JSON.parse(text) as Reply;
  } catch {
    throw new EngineError(
      'IO',
      `unpacking a layer into ${JSON.stringify(dest)}: the unpacker ended with status ${status}`,
    );
  }
  if ('ok' in reply) return reply.ok;
  throw new EngineError(reply.error.code, reply.error.message, { hint: reply.error.hint });
}
