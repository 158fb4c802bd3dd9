import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EngineError } from '../../../src/core/errors.ts';
import {
  familiarRepository,
  formatFamiliar,
  formatReference,
  parseReference,
  withDefaultTag,
} from '../../../src/core/reference.ts';
import { ACCEPTED, DIGEST, REFUSED } from './reference.cases.ts';

describe('parseReference', () => {
  test.each(ACCEPTED)('accepts $text', ({ text, registry, repository, tag, digest, familiar }) => {
    const ref = parseReference(text);
    expect(ref).toEqual({ registry, repository, ...(tag && { tag }), ...(digest && { digest }) });
    expect(formatFamiliar(ref)).toBe(familiar);
    expect(parseReference(formatFamiliar(ref))).toEqual(ref);
    expect(parseReference(formatReference(ref))).toEqual(ref);
  });

  test.each(REFUSED)('refuses $text', ({ text, reason, hint }) => {
    const error = refusal(text);
    expect(error.code).toBe('REFERENCE_INVALID');
    expect(error.message).toMatch(reason);
    expect(error.message).toMatch(/^reading image name "/);
    if (hint !== undefined) expect(error.hint).toMatch(hint);
  });

  test('never throws anything but REFERENCE_INVALID, and what it accepts comes back', () => {
    const near = fc.stringMatching(/^[a-zA-Z0-9._:/@[\]-]{0,40}$/);
    fc.assert(
      fc.property(fc.oneof(near, fc.string({ unit: 'binary' })), (text) => {
        let ref;
        try {
          ref = parseReference(text);
        } catch (error) {
          return error instanceof EngineError && error.code === 'REFERENCE_INVALID';
        }
        expect(parseReference(formatReference(ref))).toEqual(ref);
        expect(parseReference(formatFamiliar(ref))).toEqual(ref);
        return !ref.repository.includes('..') && !ref.repository.startsWith('/');
      }),
      { numRuns: 2000 },
    );
  });

  test('takes no time for hostile text', () => {
    const start = performance.now();
    for (const text of [
      `${'a-'.repeat(500)}!`,
      `${'a'.repeat(500)}.${'a'.repeat(500)}!/x`,
      '-'.repeat(1000),
    ]) {
      expect(() => parseReference(text)).toThrow(EngineError);
    }
    expect(performance.now() - start).toBeLessThan(1000);
  });
});

test('withDefaultTag adds latest only where nothing was said', () => {
  expect(withDefaultTag(parseReference('a')).tag).toBe('latest');
  expect(withDefaultTag(parseReference('a:b')).tag).toBe('b');
  expect(withDefaultTag(parseReference(`a@${DIGEST}`)).tag).toBeUndefined();
});

test('familiarRepository leaves out tag and digest', () => {
  expect(familiarRepository(parseReference(`h.io/a/b:c@${DIGEST}`))).toBe('h.io/a/b');
  expect(familiarRepository(parseReference('alpine:3'))).toBe('alpine');
});

function refusal(text: string): EngineError {
  try {
    parseReference(text);
  } catch (error) {
    if (error instanceof EngineError) return error;
    throw error;
  }
  throw new Error(`${JSON.stringify(text)} was accepted`);
}
