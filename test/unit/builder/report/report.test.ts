import { describe, expect, test } from 'vitest';
import type { BuildEvent } from '../../../../src/builder/events.ts';
import { BuildRecorder, type BuildReport, type ReportVertex } from '../../../../src/builder/report/record.ts';
import { summaryMarkdown } from '../../../../src/builder/report/summary.ts';
import { timelineSvg } from '../../../../src/builder/report/timeline.ts';
import { clip, duration, lanesOf } from '../../../../src/builder/report/words.ts';
import type { Digest } from '../../../../src/core/digest.ts';
import { parseXml, textsOf } from '../../../helpers/xml.ts';

const START = Date.UTC(2026, 0, 2, 3, 4, 5);
const digest = `sha256:${'a'.repeat(64)}` as Digest;

function record(events: readonly BuildEvent[], endMs = 1000): BuildReport {
  const recorder = new BuildRecorder(START);
  for (const event of events) recorder.onEvent(event);
  return recorder.report(START + endMs, { id: 'x', result: 'done', dockerfile: 'Dockerfile', tags: ['app'] });
}

const start = (
  vertex: number,
  work: 'pull' | 'base' | 'run' | 'export',
  atMs: number,
  name = work,
): BuildEvent => ({
  ...{ type: 'start', vertex, work, name, atMs: START + atMs },
  stage: work === 'base' || work === 'run' ? 'build' : undefined,
});

describe('the record of a build', () => {
  test('a step that ran: reason, time, layer, and when it was stored', () => {
    const { vertices } = record([
      start(1, 'run', 10),
      { type: 'miss', vertex: 1, reason: 'ARG A changed', atMs: START + 11 },
      { type: 'done', vertex: 1, atMs: START + 50 },
      { type: 'stored', vertex: 1, layer: { digest, sizeBytes: 7 }, atMs: START + 80 },
    ]);
    expect(vertices).toEqual([
      {
        ...{ number: 1, work: 'run', stage: 'build', name: 'run', startMs: 10, endMs: 50, state: 'done' },
        ...{ cache: 'miss', reason: 'ARG A changed', storedMs: 80, bytes: 7, digest },
      },
    ]);
  });

  test('a hit, a layer that changed nothing, and a base that is no step', () => {
    const { vertices } = record([
      start(1, 'base', 0),
      { type: 'cached', vertex: 1, layer: undefined, atMs: START },
      start(2, 'run', 0),
      { type: 'cached', vertex: 2, layer: { digest: undefined, sizeBytes: 0 }, atMs: START },
    ]);
    expect(vertices[0]).not.toHaveProperty('cache');
    expect(vertices[1]).toMatchObject({ cache: 'hit', bytes: 0 });
    expect(vertices[1]).not.toHaveProperty('digest');
  });

  test('bytes of a pull are those of the layers that came', () => {
    const layer = (state: 'done' | 'present' | 'downloading', totalBytes: number): BuildEvent => ({
      ...{ type: 'image', vertex: 1, atMs: START },
      event: { type: 'layer', digest, state, doneBytes: 0, totalBytes },
    });
    const { vertices } = record([
      start(1, 'pull', 0),
      layer('present', 1),
      layer('downloading', 10),
      layer('done', 10),
      layer('done', 100),
    ]);
    expect(vertices[0]?.bytes).toBe(110);
  });

  test('what failed, and what the end found at work', () => {
    const { vertices } = record([
      start(1, 'run', 0),
      start(2, 'run', 0),
      { type: 'error', vertex: 1, message: 'exit code: 1', canceled: false, atMs: START + 5 },
    ]);
    expect(vertices[0]).toMatchObject({ state: 'failed', error: 'exit code: 1', endMs: 5 });
    expect(vertices[1]).toMatchObject({ state: 'canceled', endMs: 1000 });
  });

  test('a clock that is set back makes no negative times', () => {
    const { vertices, durationMs } = record([start(1, 'run', -50)], -10);
    expect([vertices[0]?.startMs, vertices[0]?.endMs, durationMs]).toEqual([0, 0, 0]);
  });

  test('contexts stand where they began', () => {
    const recorder = new BuildRecorder(START);
    recorder.onEvent(start(1, 'run', 30));
    recorder.onContext({
      ...{ type: 'context', name: '', files: 2, sizeBytes: 9 },
      ...{ startMs: START + 10, atMs: START + 20 },
    });
    const { vertices } = recorder.report(START + 40, {
      ...{ id: 'x', result: 'done', dockerfile: 'Dockerfile', tags: [] },
    });
    expect(vertices.map(({ work, startMs, endMs }) => [work, startMs, endMs])).toEqual([
      ['context', 10, 20],
      ['run', 30, 40],
    ]);
  });
});

const HOSTILE =
  '[x 1/2] RUN echo "</title><script>alert(1)</script>" & \'x\' | `y` \u0000\u001b[31m\ud800\uffff';

function vertex(more: Partial<ReportVertex>): ReportVertex {
  return { work: 'run', stage: 'x', name: 'RUN', startMs: 0, endMs: 5, state: 'done', ...more };
}

function reportOf(vertices: ReportVertex[], more: Partial<BuildReport> = {}): BuildReport {
  return {
    ...{ version: 1, id: 'x', startedAt: '2026-01-02T03:04:05.000Z', durationMs: 100, result: 'done' },
    ...{ dockerfile: 'Dockerfile', tags: ['app'], vertices },
    ...more,
  };
}

describe('the timeline', () => {
  test('is well-formed XML whatever the names are, and no name becomes an element', () => {
    const svg = timelineSvg(
      reportOf([vertex({ name: HOSTILE, stage: HOSTILE, reason: HOSTILE, cache: 'miss' })], {
        ...{ tags: [HOSTILE], dockerfile: HOSTILE, startedAt: HOSTILE },
      }),
    );
    const root = parseXml(svg);
    expect(root.name).toBe('svg');
    const names = new Set<string>();
    const walk = (element: typeof root): void => {
      names.add(element.name);
      element.children.forEach(walk);
    };
    walk(root);
    expect([...names].sort()).toEqual(['g', 'line', 'rect', 'style', 'svg', 'text', 'title']);
    expect(textsOf(root).join('\n')).toContain(
      "</title><script>alert(1)</script>\" & 'x' | `y` \ufffd\ufffd[31m\ufffd\ufffd",
    );
  });

  test('needs nothing from elsewhere, and is the same for the same report', () => {
    const report = reportOf([vertex({ cache: 'hit' })]);
    const svg = timelineSvg(report);
    expect(svg.replace('xmlns="http://www.w3.org/2000/svg"', '')).not.toMatch(/https?:|url\(|@import|href/);
    expect(timelineSvg(structuredClone(report))).toBe(svg);
  });

  test.each<[ReportVertex, RegExp]>([
    [vertex({ cache: 'hit' }), /<rect class="hit"/],
    [vertex({ cache: 'miss' }), /<rect class="miss"/],
    [vertex({ cache: 'miss', state: 'failed', error: 'no' }), /<rect class="failed".*failed: no/s],
    [vertex({ cache: 'miss', state: 'canceled' }), /<rect class="canceled"/],
    [vertex({ work: 'pull' }), /<rect class="other"/],
    [vertex({ cache: 'miss', storedMs: 60 }), /<rect class="miss storing"/],
    [
      vertex({ cache: 'miss', reason: 'src/a.ts changed', bytes: 2100 }),
      /2\.1kB · not cached: src\/a\.ts changed/,
    ],
  ])('%o is drawn as %s', (one, pattern) => {
    expect(/<g>.*<\/g>/s.exec(timelineSvg(reportOf([one])))?.[0]).toMatch(pattern);
  });

  test.each([0, 1, 7, 999, 60_000, 86_400_000])(
    '%d ms have a sensible number of grid lines',
    (durationMs) => {
      const svg = timelineSvg(reportOf([vertex({ endMs: durationMs })], { durationMs }));
      const count = svg.match(/class="grid"/g)?.length ?? 0;
      expect(count).toBeGreaterThanOrEqual(2);
      expect(count).toBeLessThanOrEqual(8);
    },
  );

  test('bars stay inside of the picture', () => {
    const svg = timelineSvg(reportOf([vertex({ startMs: 90, endMs: 500, storedMs: 900 })]));
    for (const [, x, width] of svg.matchAll(
      /<rect class="\w+(?: storing)?" x="([\d.]+)" y="[\d.]+" width="([\d.]+)"/g,
    ))
      expect(Number(x) + Number(width)).toBeLessThanOrEqual(1200);
  });

  test('lanes: pull, context, stages as they began, commit', () => {
    const vertices = [
      vertex({ work: 'pull', stage: '' }),
      vertex({ stage: 'b' }),
      vertex({ stage: '0' }),
      vertex({ work: 'export', stage: '' }),
      vertex({ work: 'context', stage: '' }),
      vertex({ stage: 'b' }),
    ].map(({ stage = '', ...rest }): ReportVertex => (stage === '' ? rest : { ...rest, stage }));
    expect(lanesOf(reportOf(vertices)).map(([name, lane]) => [name, lane.length])).toEqual([
      ...[
        ['pull', 1],
        ['context', 1],
        ['b', 2],
        ['stage 0', 1],
        ['commit', 1],
      ],
    ]);
  });
});

describe('the summary', () => {
  test('a table with a line for each vertex', () => {
    const report = reportOf([vertex({ cache: 'hit' }), vertex({ cache: 'miss', name: 'RUN x', bytes: 5 })]);
    expect(summaryMarkdown(report, '/a/timeline.svg')).toBe(
      [
        '',
        '### ✅ Build of app',
        '',
        'done in 100ms, 1 of 2 steps from the cache',
        '',
        '| Stage | Step | Time | Size | Result |',
        '| --- | --- | ---: | ---: | --- |',
        '| x | RUN | 5ms |  | from the cache |',
        '| x | RUN x | 5ms | 5B |  |',
        '',
        'Timeline: /a/timeline.svg',
        '',
        '',
      ].join('\n'),
    );
  });

  test('names mean nothing to Markdown or HTML', () => {
    const row = summaryMarkdown(reportOf([vertex({ name: HOSTILE })]), undefined).split('\n')[7] as string;
    expect(row).not.toMatch(/[<>`\u0000\u001b]|&(?!#)/);
    expect(row.match(/\|/g)).toHaveLength(6);
  });

  test('a failed build says why, and a long one is cut', () => {
    const many = Array.from({ length: 205 }, () => vertex({}));
    const text = summaryMarkdown(reportOf(many, { result: 'failed', error: 'no | luck' }), undefined);
    expect(text).toContain('### ❌');
    expect(text).toContain('**no &#124; luck**');
    expect(text).toContain('… and 5 more');
  });
});

test.each([
  [0, '0ms'],
  [999, '999ms'],
  [1000, '1.0s'],
  [59_940, '59.9s'],
  [59_960, '1m 00s'],
  [123_400, '2m 03s'],
])('%d ms are %s', (ms, text) => expect(duration(ms)).toBe(text));

test('clipping counts characters, not halves of them', () => {
  expect(clip('😀😀😀', 2)).toBe('😀…');
  expect(clip('abc', 3)).toBe('abc');
});
