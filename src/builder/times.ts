// The one time of everything that a build makes or changes, unless --timestamp says otherwise (docs/decisions/0022).

/** 1980-01-02T00:00:00Z: the first day that every archive format can hold in every time zone. */
export const FIXED_TIME_SEC = 315_619_200;

/** RFC 3339 of the time that images have. */
export function fixedCreated(timeSec: number = FIXED_TIME_SEC): string {
  return new Date(timeSec * 1000).toISOString().replace('.000Z', 'Z');
}
