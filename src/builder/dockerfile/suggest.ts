// "did you mean FROM?" (pure)

import { nearest as nearestOf } from '../../core/nearest.ts';

/** Longer words are no slips of the fingers, and comparing them takes the square of their length. */
const MAX_LENGTH = 64;

/** The option that was probably meant, unless it is one of them. */
export function nearest(word: string, options: Iterable<string>): string | undefined {
  if (word.length > MAX_LENGTH) return undefined;
  const candidates = [...options].filter((option) => option.length <= MAX_LENGTH);
  return candidates.includes(word) ? undefined : nearestOf(word, candidates);
}

/** ` (did you mean FROM?)`, or nothing. */
export function didYouMean(word: string, options: Iterable<string>): string {
  const match = nearest(word, options);
  return match === undefined ? '' : ` (did you mean ${match}?)`;
}
