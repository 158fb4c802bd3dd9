// Go's filepath.Match, which COPY and ADD go by (pure): `*` and `?` stay within a part of the path, `[a-z]` and `[^a-z]`
// are classes, a backslash takes the meaning from what follows. "**" is no more than "*".

/** @throws SyntaxError for an unfinished class or escape */
export function compileWildcard(pattern: string): RegExp {
  let source = '';
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern.charAt(i);
    if (char === '*') source += '[^/]*';
    else if (char === '?') source += '[^/]';
    else if (char === '[') {
      const { text, end } = readClass(pattern, i);
      source += text;
      i = end;
    } else if (char === '\\') {
      i++;
      if (i >= pattern.length) throw new SyntaxError('a backslash at the end');
      source += quoted(pattern.charAt(i));
    } else source += quoted(char);
  }
  return new RegExp(`^${source}$`, 's');
}

export function hasWildcard(text: string): boolean {
  return /^(?:[^\\*?[]|\\.)*[*?[]/s.test(text);
}

/** A literal text that was escaped: `a\*b` → `a*b`. */
export function unescaped(text: string): string {
  return text.replace(/\\(.)/gs, '$1');
}

/** Go's grammar: '[' [ '^' ] { character-range } ']', where "]" and "-" as characters must be escaped. */
function readClass(pattern: string, start: number): { text: string; end: number } {
  let i = start + 1;
  const negated = pattern.charAt(i) === '^';
  if (negated) i++;
  let ranges = '';
  const readChar = (): string => {
    if (pattern.charAt(i) === '\\') i++;
    const char = pattern.charAt(i);
    if (char === '') throw new SyntaxError('a class without end');
    i++;
    return char;
  };
  while (pattern.charAt(i) !== ']' || ranges === '') {
    if (pattern.charAt(i) === ']' || pattern.charAt(i) === '-') throw new SyntaxError('an empty class');
    const low = readChar();
    let high = low;
    if (pattern.charAt(i) === '-') {
      i++;
      if (pattern.charAt(i) === ']') throw new SyntaxError('a range without end');
      high = readChar();
    }
    if (low <= high) ranges += `${inClass(low)}-${inClass(high)}`;
    else ranges += inClass('\uffff'); // a range that holds nothing
  }
  // As in Go, a class may match a slash only where the pattern is not split at it; ours never is.
  return { text: negated ? `(?!/)[^${ranges}]` : `(?!/)[${ranges}]`, end: i };
}

function quoted(char: string): string {
  return char.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}

function inClass(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
