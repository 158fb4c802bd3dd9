// `volume create`: flags → a volume. A name that is taken is no error, as in docker; what it cannot be given any more is said.

import { EngineError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { StoreRoot } from '../store/layout.ts';
import { parsePairs, volumeKind } from './options.ts';
import { ANONYMOUS_LABEL, checkVolumeName, createVolume, randomVolumeName } from './records.ts';

export interface MakeVolumeRequest {
  /** As argument and as --name; undefined or '': anonymous. */
  name: string | undefined;
  flagName: string | undefined;
  driver: string;
  /** `KEY[=VALUE]` texts. */
  labels: readonly string[];
  options: readonly string[];
}

/** Returns the name. Idempotent. @throws USAGE, NO_SPACE, IO */
export function makeVolume(
  { paths, log }: { paths: StoreRoot; log: Log },
  { name: argument, flagName, driver, labels: labelTexts, options: optionTexts }: MakeVolumeRequest,
): string {
  if (argument !== undefined && flagName !== undefined && argument !== flagName)
    throw new EngineError(
      'USAGE',
      'conflicting options: cannot specify a volume-name through both --name and as a positional arg',
    );
  const given = argument ?? flagName ?? '';
  const name = given === '' ? randomVolumeName() : checkVolumeName(given);
  if (driver !== 'local' && driver !== '') {
    throw new EngineError(
      'USAGE',
      `create ${name}: error looking up volume plugin ${driver}: plugin ${JSON.stringify(driver)} not found`,
      { hint: 'local is the only driver; leave --driver out', exitCode: 1 },
    );
  }
  const options = parsePairs('--opt', optionTexts);
  const labels = parsePairs('--label', labelTexts);
  const kind = volumeKind(name, options, 1);
  if (given === '') labels[ANONYMOUS_LABEL] = '';
  const { volume, made } = createVolume(paths, { name, labels, options });
  if (!made && !(covers(volume.options, options) && covers(volume.labels, labels)))
    log.warn(`volume ${JSON.stringify(name)} exists already and keeps its own options and labels`);
  if (made && kind.kind === 'tmpfs')
    log.warn(
      `volume ${JSON.stringify(name)}: each container gets a tmpfs of its own; they do not share what is in it`,
    );
  return name;
}

function covers(has: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([key, value]) => has[key] === value);
}
