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

export function ownerValue({ containerUid, containerGid, mode }: TarEntry): Buffer {
  return Buffer.from(`${containerUid}:${containerGid}:${mode.toString(8).padStart(4, '0')}`);
}

export function deviceValue({ type, devMajor, devMinor }: TarEntry): Buffer {
  return Buffer.from(`${type === 'block' ? 'b' : 'c'}:${devMajor}:${devMinor}`);
}
