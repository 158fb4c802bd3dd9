import { expect, test } from 'vitest';
import { formatDuration, parseDuration } from '../../../src/core/duration.ts';
import { FORMATTED, PARSED, REFUSED } from './duration.cases.ts';

test.each(PARSED)('%s', (text, ns) => expect(parseDuration(text)).toEqual({ ns }));
test.each(REFUSED)('%j is none', (text, problem) => expect(parseDuration(text)).toEqual({ problem }));
test.each(FORMATTED)('%d ns', (ns, text) => expect(formatDuration(ns)).toBe(text));
test('every row ran', () => expect([PARSED.length, REFUSED.length, FORMATTED.length]).toEqual([15, 16, 10]));
