// A build as a picture: an SVG file that needs nothing else, one line a vertex, lanes for stages. The same report gives the
// same bytes. (pure)

import type { BuildReport, ReportVertex } from './record.ts';
import { bytesOf, clip, duration, lanesOf, outcomeOf, titleOf, whatCameOf } from './words.ts';

const WIDTH = 1200;
const MARGIN = 16;
/** Where bars begin and end. */
const LEFT = 400;
const RIGHT = WIDTH - MARGIN;
const TOP = 84;
const ROW = 20;
const LANE_HEADER = 26;
/** Of a character in the fonts below; one that is wider is cut short by a few. */
const CHARACTER = 6.7;
const MIN_BAR = 2;

/** No variables: not every viewer of pictures knows them. */
const LIGHT = {
  ...{ bg: '#ffffff', text: '#1f2328', dim: '#59636e', grid: '#d1d9e0', band: '#f0f3f6' },
  ...{ miss: '#0969da', hit: '#2da44e', failed: '#cf222e', canceled: '#bf8700', other: '#8250df' },
};
const DARK: typeof LIGHT = {
  ...{ bg: '#0d1117', text: '#e6edf3', dim: '#9198a1', grid: '#2f353d', band: '#1c232c' },
  ...{ miss: '#4493f8', hit: '#3fb950', failed: '#f85149', canceled: '#d29922', other: '#ab7df8' },
};

const STYLE = `
text { font: 11px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; white-space: pre; }
.title { font-size: 15px; font-weight: 600; } .lane, text.failed, text.canceled { font-weight: 600; }
.storing { opacity: .45; }
${colours(LIGHT)}
@media (prefers-color-scheme: dark) {
${colours(DARK)}
}
`;

function colours({ text, grid, ...fills }: typeof LIGHT): string {
  return [
    `text { fill: ${text}; }`,
    `.grid { stroke: ${grid}; }`,
    ...Object.entries(fills).map(([kind, fill]) => `.${kind} { fill: ${fill}; }`),
  ].join('\n');
}

const LEGEND: readonly [kind: string, text: string][] = [
  ['miss', 'ran'],
  ['hit', 'from the cache'],
  ['failed', 'failed'],
  ['canceled', 'cancelled'],
  ['other', 'around the steps'],
];

export function timelineSvg(report: BuildReport): string {
  const totalMs = Math.max(
    1,
    report.durationMs,
    ...report.vertices.map(({ endMs, storedMs }) => Math.max(endMs, storedMs ?? 0)),
  );
  const xOf = (ms: number): number => round(LEFT + (ms / totalMs) * (RIGHT - LEFT));
  const rows: string[] = [];
  let y = TOP;
  for (const [name, vertices] of lanesOf(report)) {
    rows.push(
      `<rect class="band" x="0" y="${y}" width="${WIDTH}" height="${LANE_HEADER - 4}"/>`,
      text(MARGIN, y + 15, clip(name, 50), 'lane'),
    );
    y += LANE_HEADER;
    for (const vertex of vertices) {
      rows.push(rowOf(vertex, y, xOf));
      y += ROW;
    }
    y += 4;
  }
  const height = y + 14;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">`,
    `<title>${escape(`${titleOf(report)}: ${outcomeOf(report)}`)}</title>`,
    `<style>${STYLE}</style>`,
    `<rect class="bg" width="${WIDTH}" height="${height}"/>`,
    text(MARGIN, 28, clip(titleOf(report), 120), 'title'),
    text(MARGIN, 48, `${outcomeOf(report)} · ${report.startedAt} · ${clip(report.dockerfile, 60)}`, 'dim'),
    legend(),
    ...gridOf(totalMs, xOf, height),
    ...rows,
    '</svg>',
    '',
  ].join('\n');
}

function legend(): string {
  let x = RIGHT;
  const parts = [...LEGEND].reverse().map(([kind, label]) => {
    x -= label.length * CHARACTER + 30;
    return `<rect class="${kind}" x="${round(x)}" y="18" width="10" height="10" rx="2"/>${text(round(x + 14), 27, label, 'dim')}`;
  });
  return parts.reverse().join('');
}

/** Lines at round times, five to ten of them. */
function gridOf(totalMs: number, xOf: (ms: number) => number, height: number): string[] {
  const stepMs = roundStep(totalMs / 6);
  const lines: string[] = [];
  for (let ms = 0; ms <= totalMs; ms += stepMs) {
    const x = xOf(ms);
    const atEnd = x > RIGHT - 40;
    lines.push(
      `<line class="grid" x1="${x}" y1="${TOP - 8}" x2="${x}" y2="${height - 10}"/>`,
      text(x, TOP - 13, duration(ms), 'dim', ms === 0 ? 'start' : atEnd ? 'end' : 'middle'),
    );
  }
  return lines;
}

/** 1, 2 or 5 times a power of ten, not less than `ms`. */
function roundStep(ms: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, ms)));
  return ([1, 2, 5].find((digit) => digit * power >= ms) ?? 10) * power;
}

function rowOf(vertex: ReportVertex, y: number, xOf: (ms: number) => number): string {
  const { startMs, endMs, storedMs, name } = vertex;
  const kind = kindOf(vertex);
  const from = xOf(startMs);
  const to = Math.max(xOf(endMs), from + MIN_BAR);
  const end = storedMs === undefined ? to : Math.max(to, xOf(storedMs));
  const label = clip(name, Math.floor((LEFT - 2 * MARGIN) / CHARACTER));
  const said = [duration(endMs - startMs), bytesOf(vertex), whatCameOf(vertex)].filter((part) => part !== '');
  const tooltip = [
    name,
    ...said,
    ...(storedMs === undefined || storedMs <= endMs ? [] : [`stored after ${duration(storedMs - startMs)}`]),
    ...(vertex.files === undefined ? [] : [`${vertex.files} files`]),
    ...(vertex.digest === undefined ? [] : [vertex.digest]),
  ].join('\n');
  return [
    `<g><title>${escape(tooltip)}</title>`,
    text(MARGIN, y + 13, label, kind === 'failed' || kind === 'canceled' ? kind : ''),
    end > to
      ? `<rect class="${kind} storing" x="${to}" y="${y + 7}" width="${round(end - to)}" height="6"/>`
      : '',
    `<rect class="${kind}" x="${from}" y="${y + 3}" width="${round(to - from)}" height="14" rx="2"/>`,
    note(said.join(' · '), from, end, y + 13),
    '</g>',
  ].join('');
}

/** Beside the bar where there is more room, cut to what fits. */
function note(said: string, from: number, end: number, y: number): string {
  const after = RIGHT - end - 6;
  const before = from - LEFT - 6;
  const needed = Array.from(said).length * CHARACTER;
  const isAfter = after >= needed || after >= before;
  const room = Math.floor((isAfter ? after : before) / CHARACTER);
  if (room < 5) return '';
  const shown = clip(said, room);
  return isAfter ? text(round(end + 6), y, shown, 'dim') : text(round(from - 6), y, shown, 'dim', 'end');
}

function kindOf({ state, cache }: ReportVertex): string {
  if (state !== 'done') return state;
  return cache ?? 'other';
}

function text(x: number, y: number, content: string, kind: string, anchor = 'start'): string {
  const classes = kind === '' ? '' : ` class="${kind}"`;
  const side = anchor === 'start' ? '' : ` text-anchor="${anchor}"`;
  return `<text x="${x}" y="${y}"${classes}${side}>${escape(content)}</text>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** What XML 1.0 has no way to write becomes U+FFFD, and so does half a surrogate pair. */
function escape(content: string): string {
  return content
    .replace(/[^\t\n\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replace(/[&<>"']/g, (character) => ENTITIES[character] as string);
}
