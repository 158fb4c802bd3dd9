import { expect, test } from 'vitest';
import { printable, redactUrl } from '../../../src/registry/redact.ts';

test.each([
  ['https://u:secret@h.io/x', 'https://h.io/x'],
  ['https://h.io/x?X-Amz-Signature=secret&n=1', 'https://h.io/x?X-Amz-Signature=REDACTED&n=1'],
  ['https://h.io/x?token=secret#secret', 'https://h.io/x?token=REDACTED'],
  ['https://h.io/x?sig=secret&se=secret&scope=a', 'https://h.io/x?sig=REDACTED&se=REDACTED&scope=a'],
  ['http://u:secret@[bad', 'http://[bad'],
])('%s', (url, expected) => {
  expect(redactUrl(url)).toBe(expected);
});

test.each([
  ['a\u001b[31mb\r\nc\u0000', 'a [31mb c'],
  ['rtl \u202eevil\u2066x', 'rtl evil x'],
  ['  much   room ', 'much room'],
  ['x'.repeat(400), `${'x'.repeat(300)}…`],
])('prints %j', (text, expected) => {
  expect(printable(text)).toBe(expected);
});
