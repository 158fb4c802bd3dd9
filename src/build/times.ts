// The one time of everything that a build makes or changes, unless --timestamp says otherwise (docs/decisions/0022).

/** 1980-01-02T00:00:00Z: the first day that every archive format can hold in every time zone. */
export const FIXED_TIME_SEC = 315_619_200;
