// Names as byte strings (one unit a byte, as trees have them) and as text (core/bytes.ts, as users write them). (pure)

import { decodeBytes, encodeBytes } from '../../core/bytes.ts';
import type { ByteString } from '../../image/layer/entry.ts';

export function toByteString(text: string): ByteString {
  return /^[\x00-\x7f]*$/.test(text) ? text : encodeBytes(text).toString('latin1');
}

export function toText(path: ByteString): string {
  return /^[\x00-\x7f]*$/.test(path) ? path : decodeBytes(Buffer.from(path, 'latin1'));
}

/** `path` below `base`; either may be '', the root. */
export function under(base: ByteString, path: ByteString): ByteString {
  return path === '' ? base : base === '' ? path : `${base}/${path}`;
}
