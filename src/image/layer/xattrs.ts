// Which extended attributes of an archive reach the tree, and our own (pure).

import type { ByteString, TarEntry } from './entry.ts';

/**
 * On files and directories whose owner could not be set, since the user namespace does not map it: "uid:gid:mode", the
 * mode in octal. Later layers and commits read it, so that an image built with a single id keeps its owners.
 */
export const OWNER_XATTR = 'user.skiff.owner';
/** On the empty file that stands for a device which a user may not make: "c:major:minor" or "b:major:minor". */
export const DEVICE_XATTR = 'user.skiff.device';
/** overlayfs with `userxattr`: the directory hides everything below it in lower layers. */
export const OPAQUE_XATTR = 'user.overlay.opaque';
export const OPAQUE_VALUE: Uint8Array = Buffer.from('y');

/**
 * Attributes that mean something to overlayfs or to us must not come from an image: it could redirect a directory to
 * another place of a lower layer, or forge an owner.
 */
export function isReservedXattr(name: ByteString): boolean {
  return /^(?:user|trusted)\.overlay\.|^user\.skiff\./.test(name);
}

export function ownerValue({
  containerUid,
  containerGid,
  mode,
}: Pick<TarEntry, 'containerUid' | 'containerGid' | 'mode'>): Buffer {
  return Buffer.from(`${containerUid}:${containerGid}:${mode.toString(8).padStart(4, '0')}`);
}

export function deviceValue({
  type,
  devMajor,
  devMinor,
}: Pick<TarEntry, 'type' | 'devMajor' | 'devMinor'>): Buffer {
  return Buffer.from(`${type === 'block' ? 'b' : 'c'}:${devMajor}:${devMinor}`);
}

/** Whether an attribute that a tree has means something elsewhere: not overlayfs's, ours, or the host's labels. */
export function isPortableXattr(name: ByteString): boolean {
  return /^user\.|^security\.capability$|^system\.posix_acl_/.test(name) && !isReservedXattr(name);
}

interface Owner {
  uid: bigint;
  gid: bigint;
}

/** What ownerValue() noted, while the file still belongs to root, who stood in for the real owner. */
export function emulatedOwner(
  { uid, gid }: Owner,
  xattrs: ReadonlyMap<string, Buffer>,
): { uid: number; gid: number } {
  const noted = xattrs.get(OWNER_XATTR)?.toString('latin1');
  const match = uid === 0n && gid === 0n ? /^(\d{1,10}):(\d{1,10}):[0-7]+$/.exec(noted ?? '') : null;
  const ids = match === null ? [Number(uid), Number(gid)] : [Number(match[1]), Number(match[2])];
  const [realUid, realGid] = ids.every((id) => id < 0xffffffff) ? ids : [Number(uid), Number(gid)];
  return { uid: realUid as number, gid: realGid as number };
}

/** What deviceValue() noted. */
export function emulatedDevice(
  xattrs: ReadonlyMap<string, Buffer>,
): { type: 'char' | 'block'; major: number; minor: number } | undefined {
  const match = /^([cb]):(\d{1,7}):(\d{1,7})$/.exec(xattrs.get(DEVICE_XATTR)?.toString('latin1') ?? '');
  if (match === null) return undefined;
  const [major, minor] = [Number(match[2]), Number(match[3])];
  if (major > 0xfffff || minor > 0xfffff) return undefined;
  return { type: match[1] === 'b' ? 'block' : 'char', major, minor };
}
