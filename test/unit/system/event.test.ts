import { describe, expect, test } from 'vitest';
import { parseEventFilters, parseEventLine, type Event } from '../../../src/system/event.ts';
import { BAD_FILTERS, FILTERS, LINES } from './event.cases.ts';

const TIME = '1700000000123456789';
const lineOf = (fields: object): string => JSON.stringify({ time: TIME, ...fields });
const eventOf = (fields: object): Event => parseEventLine(lineOf(fields)) as Event;

describe('parseEventLine', () => {
  test('gives docker’s message of a container', () => {
    const fields = { action: 'die', with: { exitCode: '1' }, type: 'container', id: 'c1' };
    expect(eventOf({ ...fields, attributes: { name: 'web', image: 'i:1', b: '2' } })).toEqual({
      status: 'die',
      id: 'c1',
      from: 'i:1',
      Type: 'container',
      Action: 'die',
      Actor: { ID: 'c1', Attributes: { b: '2', exitCode: '1', image: 'i:1', name: 'web' } },
      scope: 'local',
      time: 1_700_000_000,
      timeNano: 1_700_000_000_123_456_789n,
    });
  });

  test('an image has no `from`, a volume none of the three', () => {
    const image = eventOf({ action: 'pull', type: 'image', id: 'i:1', attributes: { image: 'x' } });
    expect([image.status, image.id, image.from]).toEqual(['pull', 'i:1', '']);
    const volume = eventOf({ action: 'mount', type: 'volume', id: 'v', attributes: { image: 'x' } });
    expect([volume.status, volume.id, volume.from]).toEqual(['', '', '']);
  });

  test('attributes are sorted; labels hide details; a later name hides the first', () => {
    const line = `{"time":"${TIME}","action":"die","with":{"exitCode":"1"},"name":"new","type":"container","id":"c","attributes":{"z":"","exitCode":"mine","name":"old","__proto__":"p"}}`;
    const attributes = (parseEventLine(line) as Event).Actor.Attributes;
    expect(Object.entries(attributes)).toEqual([
      ['__proto__', 'p'],
      ['exitCode', 'mine'],
      ['name', 'new'],
      ['z', ''],
    ]);
  });

  test.each([
    '',
    '{',
    `{"time":"${TIME}","action":"di`,
    `{"time":"${TIME}","action":"die"}`,
    `{"time":"1","action":"die","type":"container","id":"c","attributes":{}}`,
    `{"time":"${TIME}","action":1,"type":"container","id":"c","attributes":{}}`,
    `x{"time":"${TIME}","action":"die","type":"container","id":"c","attributes":{}}`,
    `{"time":"${TIME}","action":"die","type":"container","id":"c","attri{"time":"${TIME}","action":"die","type":"container","id":"c","attributes":{}}`,
    '\0\0\0\0',
  ])('passes over %j', (line) => expect(parseEventLine(line)).toBeUndefined());

  test('attributes that are no texts are left out', () => {
    const event = eventOf({ action: 'x', type: 'volume', id: 'v', with: [1], attributes: { a: 1, b: 'b' } });
    expect(event.Actor.Attributes).toEqual({ b: 'b' });
  });
});

describe('--filter', () => {
  test.each(FILTERS)('%j', (filters, passing) => {
    const passes = parseEventFilters(filters);
    expect(Object.keys(LINES).filter((name) => passes(eventOf(LINES[name] as object)))).toEqual(passing);
  });

  test.each(BAD_FILTERS)('%j is refused', (filter) =>
    expect(() => parseEventFilters([filter])).toThrow(
      'invalid filter, expected KEY=VALUE with one of container,',
    ),
  );
});
