// Writes the context of a row.

import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, lchownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { gzipSync } from 'node:zlib';
import { isRoot, type Account } from '../../helpers/accounts.ts';
import { tar } from '../../helpers/tar-writer.ts';
import { dockerfileOf, type ContextFile, type Row } from './row.ts';

/** `dir` gets the context in `dir`/ctx. Both belong to `user`. */
export function writeContext(row: Row, dir: string, user: Account): string {
  const root = `${dir}/ctx`;
  const own = (path: string): void => {
    if (isRoot()) lchownSync(path, user.uid, user.gid);
  };
  const makeDir = (path: string): void => {
    if (path.length < root.length) return;
    makeDir(dirname(path));
    try {
      mkdirSync(path);
    } catch {
      return; // it is there
    }
    chmodSync(path, 0o755);
    own(path);
  };
  makeDir(root);
  const files: [string, ContextFile][] = [
    ['Dockerfile', dockerfileOf(row)],
    ...Object.entries(row.context ?? {}),
  ];
  const closed: [string, number][] = [];
  for (const [name, file] of files) {
    const path = `${root}/${name}`;
    makeDir(dirname(path));
    if (typeof file === 'object' && 'dir' in file) {
      makeDir(path);
      closed.push([path, file.dir]);
      continue;
    }
    if (typeof file === 'object' && 'node' in file) {
      if (file.node === 'fifo') execFileSync('mkfifo', [path]);
      else
        // Killed, so that the name stays.
        spawnSync(process.execPath, [
          '-e',
          'require("net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))',
          path,
        ]);
    } else if (typeof file === 'object' && 'link' in file) symlinkSync(file.link, path);
    else {
      writeFileSync(path, contentOf(file));
      if (typeof file === 'object' && 'xattrs' in file)
        for (const [key, value] of Object.entries(file.xattrs ?? {}))
          execFileSync('setfattr', ['-n', key, '-v', value, path]);
      chmodSync(path, (typeof file === 'object' && 'mode' in file ? file.mode : undefined) ?? 0o644);
    }
    own(path);
    // A change of owner takes these bits away.
    if (typeof file === 'object' && 'mode' in file) chmodSync(path, file.mode ?? 0o644);
  }
  for (const [path, mode] of closed) chmodSync(path, mode);
  return root;
}

function contentOf(file: Exclude<ContextFile, { dir: number } | { link: string } | { node: string }>) {
  if (typeof file === 'string') return file;
  if ('text' in file) return file.text;
  if ('bytes' in file) return file.bytes;
  const bytes = tar(file.tar);
  return file.compress === 'gzip' ? gzipSync(bytes) : bytes;
}
