// How systemd reads unit files (systemd.syntax(7), systemd.service(5) "Command lines"): words are split at spaces, may be
// quoted and hold C escapes; `%` begins a specifier everywhere, `$` a variable in the words of commands. (pure)

import { EngineError } from '../../core/errors.ts';

/** A word of ExecStart= and ExecStop=, after the program. @throws USAGE for one that is no UTF-8 */
export function commandWord(text: string): string {
  return word(text.replaceAll('$', '$$$$'));
}

/** A word of any other list (Environment=, RequiresMountsFor=), and the program of a command: no variables there. */
export function word(text: string): string {
  return quoted(text.replaceAll('%', '%%'));
}

function quoted(text: string): string {
  if (/^[A-Za-z0-9_@%:.,=+/-][A-Za-z0-9_@%:.,=+/$-]*$/.test(text)) return text;
  let out = '"';
  for (const character of text) out += escaped(character);
  return `${out}"`;
}

function escaped(character: string): string {
  if (character === '\\' || character === '"') return `\\${character}`;
  if (character === '\n') return '\\n';
  if (character === '\t') return '\\t';
  // systemd would take it as \xNN, but could then not speak of the unit: D-Bus carries nothing but UTF-8.
  if (/^[\udc80-\udcff]$/.test(character)) throw unwritable('a word that is no UTF-8');
  if (/^[\u0000-\u001f\u007f-\u009f]$/.test(character))
    return [...Buffer.from(character)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
  return character;
}

/** A path that is the whole value of a setting, where quotes and escapes mean nothing. @throws USAGE */
export function wholePath(path: string): string {
  if (/^\/([^\u0000-\u001f\u007f\udc80-\udcff]*[^\s\\\u0000-\u001f\udc80-\udcff])?$/.test(path))
    return path.replaceAll('%', '%%');
  throw unwritable(`directory ${JSON.stringify(path)}`);
}

function unwritable(what: string): EngineError {
  return new EngineError('USAGE', `${what} cannot be written in a unit file`, {
    hint: 'without --new the unit needs neither the flags nor the directory that the container was made with',
    exitCode: 1,
  });
}
