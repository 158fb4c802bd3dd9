// Expected texts follow systemd.syntax(7) and systemd.service(5), "Command lines"; test/vm/run.sh has systemd read them.

import { describe, expect, test } from 'vitest';
import { commandWord, wholePath, word } from '../../../../src/container/systemd/quote.ts';

describe('words', () => {
  test.each<[text: string, inList: string, inCommand: string]>([
    ['plain', 'plain', 'plain'],
    ['/usr/bin/a-b_c.d', '/usr/bin/a-b_c.d', '/usr/bin/a-b_c.d'],
    ['', '""', '""'],
    ['a b', '"a b"', '"a b"'],
    ['50%', '50%%', '50%%'],
    ['%h', '%%h', '%%h'],
    ['$HOME', '"$HOME"', '"$$HOME"'],
    ['a$b', 'a$b', 'a$$b'],
    ['a$${b}', '"a$${b}"', '"a$$$${b}"'],
    ['say "hi"', '"say \\"hi\\""', '"say \\"hi\\""'],
    ["it's", '"it\'s"', '"it\'s"'],
    ['back\\slash', '"back\\\\slash"', '"back\\\\slash"'],
    ['two\nlines', '"two\\nlines"', '"two\\nlines"'],
    ['a\tb', '"a\\tb"', '"a\\tb"'],
    ['bell\u0007', '"bell\\x07"', '"bell\\x07"'],
    ['c1\u0085', '"c1\\xc2\\x85"', '"c1\\xc2\\x85"'],
    [';', '";"', '";"'],
    ['# no comment', '"# no comment"', '"# no comment"'],
    ['grün €', '"grün €"', '"grün €"'],
    ['😀', '"😀"', '"😀"'],
  ])('%j', (text, inList, inCommand) => {
    expect(word(text)).toBe(inList);
    expect(commandWord(text)).toBe(inCommand);
  });
});

test('a word that is no UTF-8 cannot be written', () => {
  expect(() => word('byte\udcff')).toThrow(/cannot be written in a unit file/);
});

describe('a path that is a whole value', () => {
  test.each([
    ['/', '/'],
    ['/a b/50%', '/a b/50%%'],
    ['/quote"s', '/quote"s'],
  ])('%j', (path, text) => expect(wholePath(path)).toBe(text));

  test.each(['/two\nlines', '/ends in a space ', '/ends in a backslash\\', '/byte\udcff', 'relative'])(
    '%j cannot be written',
    (path) => expect(() => wholePath(path)).toThrow(/cannot be written in a unit file/),
  );
});
