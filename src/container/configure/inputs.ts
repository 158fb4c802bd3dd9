// Reads what from-flags.ts judges: files named by flags, device nodes, the image's account databases.

import { lstatSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { decodeBytes, encodeBytes } from '../../core/bytes.ts';
import { EngineError, errnoOf } from '../../core/errors.ts';
import { addon } from '../../native/addon.ts';
import { readRootFile, type RootStack } from '../../runtime/root-file.ts';
import type { DeviceSpec } from '../../runtime/spec.ts';
import type { AccountFiles } from '../../runtime/users.ts';
import { parseKeyValueFile, type KeyValueLine } from './key-value-file.ts';

/** Lines of all files, in order. @throws USAGE naming the flag and the file */
export function readKeyValueFiles(flag: string, paths: readonly string[]): KeyValueLine[] {
  return paths.flatMap((path) => parseKeyValueFile(readFlagFile(flag, path), flag, path));
}

/** Text of a file that a flag names, byte for byte. */
export function readFlagFile(flag: string, path: string): string {
  try {
    return decodeBytes(readFileSync(encodeBytes(path)));
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === undefined) throw error;
    throw new EngineError(
      'USAGE',
      `${flag} ${JSON.stringify(path)}: ${errno === 'ENOENT' ? 'no such file' : `cannot be read (${errno})`}`,
      { cause: error },
    );
  }
}

/** /etc/passwd and /etc/group as the container would see them. `trees`: host paths, topmost first. */
export function readAccounts(trees: readonly string[], isOverlay: boolean): AccountFiles {
  const stack: RootStack = { trees, isOpaque: isOverlay && trees.length > 1 ? isOpaqueTree : () => false };
  return { passwd: text(stack, '/etc/passwd'), group: text(stack, '/etc/group') };
}

function text(stack: RootStack, path: string): string | undefined {
  const bytes = readRootFile(stack, path);
  return bytes === undefined ? undefined : decodeBytes(bytes);
}

function isOpaqueTree(hostPath: string): boolean {
  return addon().lgetxattr(encodeBytes(hostPath), 'user.overlay.opaque')?.toString('latin1') === 'y';
}

export function ownOomScore(): number {
  return Number(readFileSync('/proc/self/oom_score_adj', 'latin1'));
}

/** Limits of this process, as text (proc_pid_limits(5)). */
export function ownLimits(): string {
  return readFileSync('/proc/self/limits', 'latin1');
}

export interface Devices {
  devices: DeviceSpec[];
  notes: string[];
}

/**
 * --device HOST[:CONTAINER][:rwm], folders taken apart into their nodes; with `privileged` every node of the host's /dev.
 * @throws USAGE for a malformed text or a device that is not there
 */
export function readDevices(flags: readonly string[], privileged: boolean): Devices {
  const found = new Map<string, DeviceSpec>();
  const notes: string[] = [];
  if (privileged)
    for (const path of nodesBelow('/dev', isHostOnly))
      found.set(path, { hostPath: path, containerPath: path });
  for (const flag of flags) {
    const { hostPath, containerPath, permissions } = parseDevice(flag);
    if (permissions !== undefined && ['r', 'w', 'm'].some((letter) => !permissions.includes(letter))) {
      notes.push(
        `--device ${flag}: permissions are not honoured without a device cgroup; the file's mode decides`,
      );
    }
    for (const node of expand(flag, hostPath, containerPath)) found.set(node.containerPath, node);
  }
  return { devices: [...found.values()], notes };
}

/** (pure) */
export function parseDevice(text: string): {
  hostPath: string;
  containerPath: string;
  permissions: string | undefined;
} {
  const parts = text.split(':');
  const hostPath = parts[0] as string;
  const last = parts.at(-1) as string;
  const permissions = parts.length > 1 && /^[rwm]{1,3}$/.test(last) ? last : undefined;
  const containerPath =
    parts.length - (permissions === undefined ? 0 : 1) > 1 ? (parts[1] as string) : hostPath;
  if (
    parts.length > 3 ||
    (parts.length === 3 && permissions === undefined) ||
    !hostPath.startsWith('/') ||
    !containerPath.startsWith('/')
  ) {
    throw new EngineError(
      'USAGE',
      `--device ${JSON.stringify(text)}: expected HOST[:CONTAINER][:rwm] with absolute paths`,
    );
  }
  return { hostPath, containerPath, permissions };
}

function expand(flag: string, hostPath: string, containerPath: string): DeviceSpec[] {
  const stat = statSync(encodeBytes(hostPath), { throwIfNoEntry: false });
  if (stat?.isDirectory() === true) {
    const nodes = nodesBelow(hostPath, () => false);
    if (nodes.length === 0) throw badDevice(flag, hostPath, 'no device node in this directory');
    return nodes.map((path) => ({
      hostPath: path,
      containerPath: containerPath + path.slice(hostPath.length),
    }));
  }
  if (stat?.isCharacterDevice() === true || stat?.isBlockDevice() === true)
    return [{ hostPath, containerPath }];
  throw badDevice(flag, hostPath, stat === undefined ? 'no such file or directory' : 'not a device node');
}

function badDevice(flag: string, hostPath: string, cause: string): EngineError {
  return new EngineError(
    'USAGE',
    `--device ${JSON.stringify(flag)}: error gathering device information: ${hostPath}: ${cause}`,
  );
}

/** Places of the host's /dev that a container has for itself. */
function isHostOnly(path: string): boolean {
  return (
    /^\/dev\/(pts|shm|mqueue|hugepages|fd|stdin|stdout|stderr|console|ptmx|tty|null|zero|full|random|urandom)$/.test(
      path,
    ) || /^\/dev\/tty\d+$/.test(path)
  );
}

/** Device nodes below a directory; symbolic links are not followed, folders we may not read are skipped. */
function nodesBelow(dir: string, skip: (path: string) => boolean): string[] {
  const nodes: string[] = [];
  let names: string[];
  try {
    names = readdirSync(dir);
  } catch {
    return nodes;
  }
  for (const name of names.sort()) {
    const path = `${dir}/${name}`;
    if (skip(path)) continue;
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat?.isDirectory() === true) nodes.push(...nodesBelow(path, skip));
    else if (stat?.isCharacterDevice() === true || stat?.isBlockDevice() === true) nodes.push(path);
  }
  return nodes;
}
