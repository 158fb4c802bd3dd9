// "did you mean FROM?" (pure)

/** More edits than this are another word, not a slip. */
const MAX_EDITS = 2;
const MAX_LENGTH = 64;

/** The option nearest to `word`, unless it is one of them or too far from all. */
export function nearest(word: string, options: Iterable<string>): string | undefined {
  if (word.length > MAX_LENGTH) return undefined;
  let best: string | undefined;
  let bestEdits = MAX_EDITS + 1;
  for (const option of options) {
    if (option === word) return undefined;
    if (Math.abs(option.length - word.length) > MAX_EDITS) continue;
    const edits = distance(word, option);
    if (edits < bestEdits && edits < Math.max(word.length, option.length)) {
      best = option;
      bestEdits = edits;
    }
  }
  return best;
}

/** ` (did you mean FROM?)`, or nothing. */
export function didYouMean(word: string, options: Iterable<string>): string {
  const match = nearest(word, options);
  return match === undefined ? '' : ` (did you mean ${match}?)`;
}

/** Levenshtein's: insertions, deletions and replacements. The caller has checked that the lengths are near. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
