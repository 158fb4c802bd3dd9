// Digests in the form of image-spec descriptor.md, "Digests": algorithm ":" encoded. We make and accept sha256 alone.

/** `sha256:` and 64 lower-case hex digits. */
export type Digest = string & { readonly __brand: 'Digest' };

const PATTERN = /^sha256:[0-9a-f]{64}$/;

export function isDigest(text: string): text is Digest {
  return PATTERN.test(text);
}

export function digestOf(bytes: Uint8Array | string): Digest {
  // By getBuiltinModule, since loading node:crypto takes 0.5 ms and a warm `run` hashes nothing.
  const { createHash } = process.getBuiltinModule('node:crypto');
  return digestFromHex(createHash('sha256').update(bytes).digest('hex'));
}

export function digestFromHex(hex: string): Digest {
  return `sha256:${hex}` as Digest;
}

/** The 64 hex digits: what follows `sha256:`. */
export function hexOf(digest: Digest): string {
  return digest.slice('sha256:'.length);
}
