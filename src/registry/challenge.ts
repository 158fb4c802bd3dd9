// Reads WWW-Authenticate (RFC 9110, 11.6.1; the bearer form is docker's token specification). Pure.

export interface Challenge {
  /** Lower case: `bearer`, `basic`. */
  scheme: string;
  /** Names in lower case. */
  parameters: Readonly<Record<string, string>>;
}

const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const QUOTED = /"((?:[^"\\]|\\.)*)"/y;

/** All challenges of a header, which may hold several; what cannot be read ends the list. */
export function parseChallenges(header: string): Challenge[] {
  const challenges: { scheme: string; parameters: Record<string, string> }[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(header);
    if (match !== null) at = pattern.lastIndex;
    return match;
  };
  const skip = (characters: string): void => {
    while (at < header.length && characters.includes(header.charAt(at))) at++;
  };
  for (;;) {
    skip(' \t,');
    const name = take(TOKEN)?.[0];
    if (name === undefined) return challenges;
    skip(' \t');
    if (header.charAt(at) !== '=') {
      challenges.push({ scheme: name.toLowerCase(), parameters: {} });
      continue;
    }
    at++;
    skip(' \t');
    const quoted = take(QUOTED);
    const value = quoted === null ? take(TOKEN)?.[0] : (quoted[1] as string).replace(/\\(.)/g, '$1');
    const last = challenges.at(-1);
    if (value === undefined || last === undefined) return challenges;
    last.parameters[name.toLowerCase()] ??= value;
  }
}

/** The challenge we can answer: bearer before basic. */
export function chooseChallenge(challenges: readonly Challenge[]): Challenge | undefined {
  return (
    challenges.find(({ scheme, parameters }) => scheme === 'bearer' && parameters['realm'] !== undefined) ??
    challenges.find(({ scheme }) => scheme === 'basic')
  );
}
