import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { decodeBytes, encodeBytes } from '../../../src/core/bytes.ts';

describe('decodeBytes and encodeBytes', () => {
  const rows: [name: string, bytes: number[], text: string][] = [
    ['ASCII', [0x61, 0x62], 'ab'],
    ['two-byte sequence', [0xc3, 0xa9], 'é'],
    ['four-byte sequence', [0xf0, 0x9f, 0x9a, 0xa2], '\u{1f6a2}'],
    ['byte order mark is kept', [0xef, 0xbb, 0xbf, 0x61], '\ufeffa'],
    ['lone continuation byte', [0x61, 0x80], 'a\udc80'],
    ['Latin-1 text', [0x63, 0x61, 0x66, 0xe9], 'caf\udce9'],
    ['truncated sequence', [0xe2, 0x82], '\udce2\udc82'],
    ['encoded surrogate is no UTF-8', [0xed, 0xa0, 0x80], '\udced\udca0\udc80'],
    ['overlong slash', [0xc0, 0xaf], '\udcc0\udcaf'],
    ['bad byte between characters', [0xc3, 0xa9, 0xff, 0xc3, 0xa9], 'é\udcffé'],
  ];
  test.each(rows)('%s', (_name, bytes, text) => {
    expect(decodeBytes(Uint8Array.from(bytes))).toBe(text);
    expect([...encodeBytes(text)]).toEqual(bytes);
  });

  test('any bytes come back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        expect([...encodeBytes(decodeBytes(bytes))]).toEqual([...bytes]);
      }),
    );
  });
});
