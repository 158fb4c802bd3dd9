import { describe, expect, it } from 'vitest';
import { formatInspect, formatList, formatObject, type ListFormat } from '../../../src/cli/format.ts';
import { data, REFUSED, RENDERED } from './format.cases.ts';

describe('templates', () => {
  it.each(RENDERED)('%s', (template, expected) => {
    expect(formatInspect([data], template)).toEqual([expected]);
  });

  it.each(REFUSED)('refuses %s', (template, message) => {
    expect(() => formatInspect([data], template)).toThrow(message);
  });

  it('cannot be led to a prototype', () => {
    expect(() => formatInspect([data], '{{.constructor}}')).toThrow('unknown field ".constructor"');
    expect(formatInspect([data], '{{index .Config.Labels "__proto__"}}')).toEqual(['<no value>']);
    expect(() => formatInspect([data], '{{constructor}}')).toThrow('function "constructor" not defined');
  });
});

interface Image {
  id: string;
  name: string;
  labels: Record<string, string>;
}

let sizeReads = 0;
const LIST: ListFormat<Image> = {
  table: 'table {{.ID}}\t{{.Repository}}',
  fields: {
    ID: { header: 'IMAGE ID', value: (image) => image.id },
    Repository: { header: 'REPOSITORY', value: (image) => image.name },
    Size: { header: 'SIZE', value: () => ++sizeReads },
    Label: { header: '', notInJson: true, value: (image) => (key: string) => image.labels[key] ?? '' },
  },
};
const IMAGES: Image[] = [
  { id: 'aaa', name: 'a-rather-long-name', labels: { 'com.example.my-key': 'v' } },
  { id: 'bbb', name: 'b', labels: {} },
];

describe('formatList', () => {
  it.each<[string | undefined, string[]]>([
    [undefined, ['IMAGE ID   REPOSITORY', 'aaa        a-rather-long-name', 'bbb        b']],
    ['', ['IMAGE ID   REPOSITORY', 'aaa        a-rather-long-name', 'bbb        b']],
    ['table', ['IMAGE ID   REPOSITORY', 'aaa        a-rather-long-name', 'bbb        b']],
    [
      'table {{.Repository}}\\t{{.ID}}',
      ['REPOSITORY           IMAGE ID', 'a-rather-long-name   aaa', 'b                    bbb'],
    ],
    ['table {{json .ID}}', ['IMAGE ID', '"aaa"', '"bbb"']],
    ['table {{.ID}}\\t{{.Label "com.example.my-key"}}', ['IMAGE ID   my key', 'aaa        v', 'bbb        ']],
    ['{{.ID}}', ['aaa', 'bbb']],
    ['{{.ID}}: {{.Repository | upper}}', ['aaa: A-RATHER-LONG-NAME', 'bbb: B']],
  ])('%s', (format, lines) => {
    expect(formatList(IMAGES, LIST, format)).toEqual(lines);
  });

  it.each([
    '{{.ID}}\t{{ .Repository }} {{.Size}}',
    'table {{.ID}}\\t{{.Repository}}\\t{{.Size}}',
    'table {{.Label}} {{.Label}}',
    'a}} {{.ID}}{{.ID}}\\n',
    'text alone',
    'table text alone',
  ])('fills in %j as the interpreter does', (template) => {
    const interpreted = `${template}{{""}}`;
    for (const rows of [IMAGES, []]) {
      sizeReads = 0;
      const lines = formatList(rows, LIST, template);
      sizeReads = 0;
      expect(lines).toEqual(formatList(rows, LIST, interpreted));
    }
  });

  it("answers to docker's other spelling of a field", () => {
    expect(formatList(IMAGES, LIST, '{{.Id}}')).toEqual(['aaa', 'bbb']);
  });

  it('aligns by characters, not by UTF-16 units', () => {
    const images = [...IMAGES, { id: '🚀🚀🚀🚀🚀🚀🚀🚀🚀', name: 'c', labels: {} }];
    expect(formatList(images, LIST)).toEqual([
      'IMAGE ID    REPOSITORY',
      'aaa         a-rather-long-name',
      'bbb         b',
      '🚀🚀🚀🚀🚀🚀🚀🚀🚀   c',
    ]);
  });

  it('prints JSON as docker does: an object per line, strings alone', () => {
    sizeReads = 0;
    expect(formatList(IMAGES, LIST, 'json').map((line) => JSON.parse(line) as unknown)).toEqual([
      { ID: 'aaa', Repository: 'a-rather-long-name', Size: '1' },
      { ID: 'bbb', Repository: 'b', Size: '2' },
    ]);
  });

  it('computes only the fields that are asked for', () => {
    sizeReads = 0;
    formatList(IMAGES, LIST, '{{.ID}}');
    expect(sizeReads).toBe(0);
  });

  it('prints the header alone for no rows, nothing with a template, and leaves the header out when told', () => {
    expect(formatList([], LIST)).toEqual(['IMAGE ID   REPOSITORY']);
    expect(formatList([], LIST, '{{.ID}}')).toEqual([]);
    expect(formatList(IMAGES, LIST, undefined, { noHeading: true })).toEqual([
      'aaa       a-rather-long-name',
      'bbb       b',
    ]);
  });

  it('refuses an unknown field, with and without rows', () => {
    for (const rows of [IMAGES, []]) {
      for (const format of ['{{.Idd}}', 'table {{.Idd}}']) {
        expect(() => formatList(rows, LIST, format, { noHeading: true })).toThrow(
          'unknown field ".Idd"; known: ID, Repository, Size, Label',
        );
      }
    }
  });
});

describe('formatInspect and formatObject', () => {
  it('prints one indented array, compact lines, or text', () => {
    expect(formatInspect([{ a: 1 }])).toEqual(['[\n    {\n        "a": 1\n    }\n]']);
    expect(formatInspect([{ a: 1 }, { a: 2 }], 'json')).toEqual(['{"a":1}', '{"a":2}']);
    expect(formatInspect([])).toEqual(['[]']);
    expect(formatObject({ a: 1 }, undefined, () => 'text')).toBe('text');
    expect(formatObject({ a: 1 }, '{{.a}}', () => 'text')).toBe('1');
  });
});
