// --chown of COPY and ADD (pure): `user[:group]`, names looked up in the files of the image that is copied to.

import { EngineError } from '../../core/errors.ts';
import { resolveUser, type AccountFiles } from '../../runtime/users.ts';

export interface Owner {
  uid: number;
  gid: number;
}

/**
 * As BuildKit: a number without a group is also the group, a name brings the group of its passwd entry.
 * files: read when a name has to be looked up
 * @throws USER_UNKNOWN, USAGE (exit status 1)
 */
export function resolveChown(text: string, files: () => AccountFiles): Owner {
  const [user = '', group] = text.split(':', 2);
  if (user === '' && (group ?? '') === '')
    throw new EngineError('USAGE', `--chown=${text}: names no user and no group`, { exitCode: 1 });
  const isNumber = (part: string): boolean => /^\d+$/.test(part);
  const spec = isNumber(user) && (group ?? '') === '' ? `${user}:${user}` : text;
  const needsFiles = spec.split(':').some((part) => part !== '' && !isNumber(part));
  try {
    const { containerUid, containerGid } = resolveUser(
      spec,
      needsFiles ? files() : { passwd: undefined, group: undefined },
    );
    return { uid: containerUid, gid: containerGid };
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    throw new EngineError(error.code, `--chown=${text}: ${error.message}`, { hint: error.hint, exitCode: 1 });
  }
}
