// A build as Markdown, for the page of a CI job. (pure)

import type { BuildReport, ReportVertex } from './record.ts';
import { bytesOf, clip, duration, laneOf, outcomeOf, titleOf, whatCameOf } from './words.ts';

/** A page takes 1 MiB of all steps of a job together. */
const MAX_ROWS = 200;
const MAX_CELL = 160;

/** @param timeline path of the picture, if there is one */
export function summaryMarkdown(report: BuildReport, timeline: string | undefined): string {
  const { vertices, result, error, image } = report;
  const sign = { done: '✅', failed: '❌', canceled: '🚫' }[result];
  const rows = vertices.slice(0, MAX_ROWS).map(rowOf);
  const left = vertices.length - rows.length;
  return [
    '', // whoever wrote there before may have left its last line open
    `### ${sign} Build of ${escape(titleOf(report))}`,
    '',
    `${escape(outcomeOf(report))}${image === undefined ? '' : ` · ${escape(image.digest)}`}`,
    '',
    ...(error === undefined ? [] : [`**${escape(clip(error, 1000))}**`, '']),
    '| Stage | Step | Time | Size | Result |',
    '| --- | --- | ---: | ---: | --- |',
    ...rows,
    ...(left > 0 ? ['', `… and ${left} more`] : []),
    ...(timeline === undefined ? [] : ['', `Timeline: ${escape(timeline)}`]),
    '',
    '',
  ].join('\n');
}

function rowOf(vertex: ReportVertex): string {
  const { name, startMs, endMs } = vertex;
  const cells = [laneOf(vertex), name, duration(endMs - startMs), bytesOf(vertex), whatCameOf(vertex)];
  return `| ${cells.map((cell) => escape(clip(cell, MAX_CELL))).join(' | ')} |`;
}

/** Nothing of it means anything to Markdown or HTML, and it is one line. */
function escape(content: string): string {
  return content
    .replace(/\p{Cc}+/gu, ' ')
    .replace(/[&<>|`*_~[\]()\\#!$@]/g, (character) => `&#${character.charCodeAt(0)};`);
}
