// The child's side of files.ts: the hidden command `__copy`, root of the user namespace that the files belong to.

import { closeSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { EngineError, errnoOf } from '../../core/errors.ts';
import type { ByteString } from '../../image/layer/entry.ts';
import { SpaceGuard } from '../../image/layer/space.ts';
import { addon } from '../../native/addon.ts';
import * as at from '../../native/at.ts';
import { serveInside } from '../../native/inside.ts';
import { DirectoryTree } from '../context/directory-tree.ts';
import { hashFile, hashWith, unreadableFile, type ReadFile } from '../context/hash.ts';
import { LayersTree } from '../context/layers-tree.ts';
import { selectFiles } from '../context/select.ts';
import type { SourceTree } from '../context/types.ts';
import { CopyApplier } from './apply.ts';
import { Ground } from './ground.ts';
import type {
  ApplyInput,
  ApplyRequest,
  Copied,
  CopyChildRequest,
  CopySource,
  UnpackRequest,
} from './requests.ts';
import { unpackTar } from './unpack.ts';
import { Writer } from './writer.ts';

/** Returns the exit status. */
export async function serveCopy(text: string, input: Readable): Promise<number> {
  return await serveInside(text, async (request) => {
    const asked = request as CopyChildRequest;
    switch (asked.kind) {
      case 'apply':
        return await apply(asked, (await jsonOf(input)) as ApplyInput);
      case 'select':
        return await selectFiles(treeOf(asked.source), asked.request, hashWith(undefined));
      case 'unpack':
        return await unpack(asked, input);
      case 'hash':
        return hashAll(asked.path, (await jsonOf(input)) as ByteString[]);
    }
  });
}

async function apply(request: ApplyRequest, input: ApplyInput): Promise<Copied> {
  const root = at.openRoot(request.root);
  const tree = new (addon().Tree)(root, true);
  const from = treeOf(request.source);
  try {
    const space = new SpaceGuard(() => addon().fstatfs(root));
    const ground: Ground = new Ground(tree, (path) => writer.dir(path, applier.newDirAttributes()));
    const writer = new Writer(tree, space, ground);
    const applier = new CopyApplier({ from, tree, ground, writer }, request);
    await applier.apply(input);
    return { files: writer.files, bytes: writer.bytes, notes: writer.notes };
  } finally {
    from.close();
    tree.close();
    closeSync(root);
  }
}

/** A context from elsewhere. Its owners mean nothing here, as those of any context. */
async function unpack({ directory }: UnpackRequest, input: Readable): Promise<Copied> {
  const root = at.openRoot(directory);
  const tree = new (addon().Tree)(root, true);
  const owner = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
  const newDir = {
    mode: 0o755,
    containerUid: owner.uid,
    containerGid: owner.gid,
    mtimeSec: 0,
    mtimeNsec: 0,
    xattrs: [],
  };
  try {
    const ground: Ground = new Ground(tree, (path) => writer.dir(path, newDir));
    const writer = new Writer(tree, new SpaceGuard(() => addon().fstatfs(root)), ground);
    const doing = 'unpacking the build context';
    await unpackTar(input, { writer, ground, place: () => '', owner, timeSec: undefined, newDir, doing });
    writer.finish();
    return { files: writer.files, bytes: writer.bytes, notes: writer.notes };
  } finally {
    tree.close();
    closeSync(root);
  }
}

function treeOf(source: CopySource): SourceTree {
  return source.kind === 'context' ? new DirectoryTree(source.path) : new LayersTree(source.trees);
}

function hashAll(path: string, files: readonly ByteString[]): ReadFile[] {
  const tree = new DirectoryTree(path);
  try {
    return files.map((file) => {
      try {
        return hashFile(tree, file);
      } catch (error) {
        const errno = errnoOf(error);
        throw error instanceof EngineError || errno === undefined
          ? error
          : unreadableFile(file, errno, error);
      }
    });
  } finally {
    tree.close();
  }
}

async function jsonOf(input: Readable): Promise<unknown> {
  const parts: Buffer[] = [];
  for await (const part of input) parts.push(part as Buffer);
  return JSON.parse(Buffer.concat(parts).toString());
}
