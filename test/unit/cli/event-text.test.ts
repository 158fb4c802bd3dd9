import { afterEach, describe, expect, test } from 'vitest';
import { eventJson, eventLine, localTime } from '../../../src/cli/event-text.ts';
import { lineFormatter } from '../../../src/cli/format.ts';
import { NO_EVENT, type Event } from '../../../src/system/event.ts';

const START: Event = {
  status: 'start',
  id: 'c1',
  from: 'busybox',
  Type: 'container',
  Action: 'start',
  Actor: { ID: 'c1', Attributes: { image: 'busybox', name: 'web' } },
  scope: 'local',
  time: 1_767_366_245,
  timeNano: 1_767_366_245_123_456_789n,
};
const MOUNT: Event = {
  ...START,
  status: '',
  id: '',
  from: '',
  Type: 'volume',
  Action: 'mount',
  Actor: { ID: 'v', Attributes: {} },
};

const zone = process.env['TZ'];
afterEach(() => {
  if (zone === undefined) delete process.env['TZ'];
  else process.env['TZ'] = zone;
});

test.each([
  ['UTC', '2026-01-02T15:04:05.000000007Z'],
  ['Asia/Kolkata', '2026-01-02T20:34:05.000000007+05:30'],
  ['America/St_Johns', '2026-01-02T11:34:05.000000007-03:30'],
])('times in %s', (name, text) => {
  process.env['TZ'] = name;
  expect(localTime(1_767_366_245_000_000_007n)).toBe(text);
});

describe('for people', () => {
  test('one line, with or without attributes', () => {
    process.env['TZ'] = 'UTC';
    expect(eventLine(START)).toBe(
      '2026-01-02T15:04:05.123456789Z container start c1 (image=busybox, name=web)',
    );
    expect(eventLine(MOUNT)).toBe('2026-01-02T15:04:05.123456789Z volume mount v');
  });

  test('control characters of labels and commands stay out of the terminal', () => {
    const attributes = { a: '\u001b[2J\nx' };
    const line = eventLine({
      ...START,
      Action: 'exec_start: a\nb',
      Actor: { ID: 'c', Attributes: attributes },
    });
    expect(line).toMatch(/exec_start: a\\x0ab c \(a=\\x1b\[2J\\x0ax\)$/);
  });
});

describe('as JSON', () => {
  test('docker’s keys in docker’s order, every digit of the time', () =>
    expect(eventJson(START)).toBe(
      '{"status":"start","id":"c1","from":"busybox","Type":"container","Action":"start","Actor":{"ID":"c1","Attributes":{"image":"busybox","name":"web"}},"scope":"local","time":1767366245,"timeNano":1767366245123456789}',
    ));

  test('what docker leaves out', () =>
    expect(eventJson(MOUNT)).toBe(
      '{"Type":"volume","Action":"mount","Actor":{"ID":"v","Attributes":{}},"scope":"local","time":1767366245,"timeNano":1767366245123456789}',
    ));
});

describe('--format', () => {
  test.each([
    ['json', eventJson(START)],
    [' {{json .}}', ` ${eventJson(START)}`],
    ['{{.Type}}/{{.Action}} {{.ID}} {{.Status}} {{.From}}', 'container/start c1 start busybox'],
    ['{{.Actor.ID}}\\t{{.Actor.Attributes.name}}', 'c1\tweb'],
    [
      '{{.Time}} {{.TimeNano}} {{json .TimeNano}} {{.Scope}}',
      '1767366245 1767366245123456789 1767366245123456789 local',
    ],
    ['{{json .Actor}}', '{"ID":"c1","Attributes":{"image":"busybox","name":"web"}}'],
    ['{{index .Actor.Attributes "image"}}', 'busybox'],
    ['{{range $k, $v := .Actor.Attributes}}{{$k}}={{$v}};{{end}}', 'image=busybox;name=web;'],
    ['{{.Actor.Attributes.none}}', '<no value>'],
  ])('%s', (format, text) => expect(lineFormatter(format, eventJson)(START)).toBe(text));

  test.each(['{{.Nope}}', '{{.Actor.Nope}}', '{{'])('%s is refused before there is an event', (format) =>
    expect(() => lineFormatter(format, eventJson)(NO_EVENT)).toThrow(/--format/),
  );
});
