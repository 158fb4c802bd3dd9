// What earlier builds learned of the file of a URL: the server's marks of the version, and the content digests that it came
// to. With these an unchanged file costs a question and no download. No URL is written down, since it may hold a secret.

import { isDigest, type Digest } from '../../core/digest.ts';
import { isObject } from '../../core/json.ts';
import { sha256OfText } from '../../core/sha256.ts';
import type { Validators } from '../../registry/fetch-url.ts';
import { readCached, removeCached, writeCached } from '../../store/build-cache.ts';
import type { StoreRoot } from '../../store/layout.ts';
import type { CopyRequest } from '../context/types.ts';

export interface UrlRecord {
  validators: Validators;
  /** By requestKey: the digest depends on the flags of ADD. */
  digests: Record<string, Digest>;
}

export function requestKey(href: string, request: CopyRequest): string {
  return sha256OfText(JSON.stringify([href, request]));
}

/** Undefined: nothing is known. */
export function readUrl(root: StoreRoot, href: string): UrlRecord | undefined {
  const value = readCached(root, 'urls', sha256OfText(href));
  if (!isObject(value) || !isObject(value['validators']) || !isObject(value['digests'])) return undefined;
  const { etag, lastModified } = value['validators'];
  return {
    validators: {
      ...(typeof etag === 'string' ? { etag } : {}),
      ...(typeof lastModified === 'string' ? { lastModified } : {}),
    },
    digests: Object.fromEntries(
      Object.entries(value['digests']).filter(
        (entry): entry is [string, Digest] => typeof entry[1] === 'string' && isDigest(entry[1]),
      ),
    ),
  };
}

export function writeUrl(root: StoreRoot, href: string, record: UrlRecord): void {
  writeCached(root, 'urls', sha256OfText(href), record);
}

export function forgetUrl(root: StoreRoot, href: string): void {
  removeCached(root, 'urls', sha256OfText(href));
}
