// What the trees below a layer show, merged as overlayfs does: whiteouts and opaque directories hide what is further down.
// Layers of one image may conspire: what is looked at is counted and bounded.

import { lstatSync, readlinkSync, type BigIntStats } from 'node:fs';
import { encodeBytes } from '../../core/bytes.ts';
import { EngineError } from '../../core/errors.ts';
import { addon } from '../../native/addon.ts';
import type { ByteString } from './entry.ts';
import { joinPath, parentOf } from './path.ts';
import { OPAQUE_XATTR } from './xattrs.ts';

/** As path_resolution(7). */
const MAX_LINKS = 40;

/** Files looked at for one layer: a chain of links through deep directories costs millions for each name. */
const MAX_LOOKS = 10_000_000;

export class LookBudget {
  #left: number;

  /** looks: Infinity where nobody hostile chooses how many there are. */
  constructor(looks: number = MAX_LOOKS) {
    this.#left = looks;
  }

  /** @throws LAYER_INVALID */
  spend(): void {
    if (--this.#left >= 0) return;
    throw new EngineError(
      'LAYER_INVALID',
      `unpacking a layer: directories that it does not list take more than ${MAX_LOOKS} looks at the layers below`,
    );
  }
}

/** The file that shows at a path, and where it is on the host. */
export interface Shown {
  host: Buffer;
  stat: BigIntStats;
}

/** @param trees bottom first. Links are not followed, neither on the way nor at the end. */
export function findShown(trees: readonly string[], path: ByteString, budget: LookBudget): Shown | undefined {
  let left = [...trees].reverse().map(encodeBytes);
  let found: Shown | undefined;
  for (const part of prefixesOf(path)) {
    const visible: Buffer[] = [];
    found = undefined;
    for (const tree of left) {
      budget.spend();
      const host = hostPath(tree, part);
      const stat = lstatSync(host, { bigint: true, throwIfNoEntry: false });
      if (stat === undefined) continue;
      if (!stat.isDirectory()) {
        // A whiteout, or a file that a directory above it hides.
        if (visible.length === 0 && !(stat.isCharacterDevice() && stat.rdev === 0n)) found = { host, stat };
        break;
      }
      found ??= { host, stat };
      visible.push(tree);
      if (addon().lgetxattr(host, OPAQUE_XATTR) !== undefined) break;
    }
    left = visible;
    if (left.length === 0 && found === undefined) return undefined;
  }
  return found;
}

/**
 * Where the directory `target`, as a link in directory `from` names it, really is in the merged trees, links followed as
 * in a chroot. Parts that nothing shows are taken as they are. Undefined: links in a circle, or a file in the way.
 */
export function resolveShown(
  trees: readonly string[],
  from: ByteString,
  target: ByteString,
  budget: LookBudget,
): ByteString | undefined {
  let at = target.startsWith('/') ? '' : from;
  const todo = target.split('/').reverse();
  let links = 0;
  for (let part = todo.pop(); part !== undefined; part = todo.pop()) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      at = parentOf(at);
      continue;
    }
    const next = joinPath(at, part);
    const shown = findShown(trees, next, budget);
    if (shown?.stat.isSymbolicLink() === true) {
      if (++links > MAX_LINKS) return undefined;
      const link = linkTarget(shown);
      if (link.startsWith('/')) at = '';
      todo.push(...link.split('/').reverse());
    } else if (shown === undefined || shown.stat.isDirectory()) {
      at = next;
    } else {
      return undefined;
    }
  }
  return at;
}

export function linkTarget({ host }: Shown): ByteString {
  return readlinkSync(host, { encoding: 'buffer' }).toString('latin1');
}

export function hostPath(tree: Buffer, path: ByteString): Buffer {
  return Buffer.concat([tree, Buffer.from(`/${path}`, 'latin1')]);
}

/** "a/b" → "a", "a/b"; the root alone for "". */
function prefixesOf(path: ByteString): ByteString[] {
  return path.split('/').map((_, i, parts) => parts.slice(0, i + 1).join('/'));
}
