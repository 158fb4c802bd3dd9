// Byte sizes (--shm-size 64m) and durations as docker and podman write them. (pure)

import { EngineError } from './errors.ts';

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  t: 2 ** 40,
  p: 2 ** 50,
};

/** Bytes of `64m`, `1.5g`, `1024`, `10MiB`. @throws USAGE */
export function parseSize(text: string, flag: string): number {
  const match = /^(\d+(?:\.\d+)?)\s?([bkmgtp]?)(?:i?b)?$/i.exec(text);
  const bytes =
    match === null
      ? NaN
      : Math.floor(Number(match[1]) * (UNITS[(match[2] as string).toLowerCase()] as number));
  if (!Number.isSafeInteger(bytes)) {
    throw new EngineError(
      'USAGE',
      `${flag} ${JSON.stringify(text)}: invalid size, expected a number with an optional unit b, k, m or g`,
    );
  }
  return bytes;
}
