// build-cache/contents, and what imported caches know of the same: which files a stage holds at some places, so that nobody
// has to look into it.

import { isDigest, type Digest } from '../../core/digest.ts';
import { readCached, writeCached } from '../../store/build-cache.ts';
import type { StoreRoot } from '../../store/layout.ts';
import type { CacheImports } from './imports.ts';

export class ContentNotes {
  readonly #root: StoreRoot;
  readonly #imports: CacheImports | undefined;
  readonly #used = new Map<string, Digest>();

  constructor(root: StoreRoot, imports: CacheImports | undefined) {
    this.#root = root;
    this.#imports = imports;
  }

  read(key: string): Digest | undefined {
    const own = readCached(this.#root, 'contents', key);
    if (typeof own === 'string' && isDigest(own)) {
      this.#used.set(key, own);
      return own;
    }
    const imported = this.#imports?.content(key);
    if (imported !== undefined) this.write(key, imported);
    return imported;
  }

  write(key: string, digest: Digest): void {
    this.#used.set(key, digest);
    writeCached(this.#root, 'contents', key, digest);
  }

  /** Everything that this build has asked for or found out. */
  used(): ReadonlyMap<string, Digest> {
    return this.#used;
  }
}
