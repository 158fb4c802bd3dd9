import { expect, it } from 'vitest';
import { handles, hasOpenEmulator } from '../../../../src/builder/run/emulation.ts';

/** As binfmt_misc shows what qemu-user-static registers. */
const AARCH64 = `enabled
interpreter /usr/libexec/qemu-binfmt/aarch64-binfmt-P
flags: POCF
offset 0
magic 7f454c460201010000000000000000000200b700
mask ffffffffffffff00fffffffffffffffffeffffff
`;
const S390X = AARCH64.replace('0201010000000000000000000200b700', '02020100000000000000000000020016');

it.each<[string, string, string, boolean]>([
  ['its machine', AARCH64, 'arm64', true],
  ['another machine', AARCH64, 'riscv64', false],
  ['the other byte order', S390X, 's390x', true],
  ['one that is switched off', AARCH64.replace('enabled', 'disabled'), 'arm64', false],
  ['one that containers do not see', AARCH64.replace('POCF', 'POC'), 'arm64', true],
  [
    'one by the name of a file',
    'enabled\ninterpreter /usr/bin/wine\nflags: F\nextension .exe\n',
    'arm64',
    false,
  ],
  ['a magic elsewhere in the file', AARCH64.replace('offset 0', 'offset 4'), 'arm64', false],
  ['no mask', AARCH64.replace(/mask.*\n/, ''), 'arm64', true],
  ['an architecture nobody knows', AARCH64, 'vax', false],
])('%s', (_, text, architecture, expected) => {
  expect(handles(text, architecture)).toBe(expected);
});

it('with the flag F the image needs no emulator', () => {
  expect(hasOpenEmulator(AARCH64)).toBe(true);
  expect(hasOpenEmulator(AARCH64.replace('POCF', 'POC'))).toBe(false);
});
