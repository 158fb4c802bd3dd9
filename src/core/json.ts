// JSON from outside: parsed with an error that names where it came from, and narrowed without trusting it.

import { EngineError, type ErrorCode } from './errors.ts';

export type JsonObject = Record<string, unknown>;

/** what: for the message, e.g. `manifest of "alpine:3"`. @throws `code` (IMAGE_INVALID unless said otherwise) */
export function parseJson(text: string, what: string, code: ErrorCode = 'IMAGE_INVALID'): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new EngineError(code, `reading ${what}: not valid JSON`, { cause: error });
  }
}

/** An object that is no array and not null. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
