// `skiff stats`: what containers use, live.

import { defineCommand } from '../cli/command.ts';
import type { Io } from '../cli/context.ts';
import { formatList, type ListFormat } from '../cli/format.ts';
import { humanMemory, humanSize } from '../cli/human.ts';
import { LATEST_FLAG } from '../cli/target-flags.ts';
import { forEachTarget } from '../cli/targets.ts';
import { findContainer } from '../container/records.ts';
import { watchContainers, type ContainerStats, type WatchedContainer } from '../container/usage/stats.ts';
import { targetsOf } from '../container/targets.ts';
import { EngineError } from '../core/errors.ts';

export default defineCommand({
  name: 'stats',
  group: 'container',
  summary: 'Show what containers use: CPU, memory, network, disks, processes',
  args: '[CONTAINER...]',
  flags: {
    ...LATEST_FLAG,
    all: { type: 'boolean', short: 'a', help: 'show all containers, not only running ones' },
    format: { type: 'string', value: 'FORMAT', help: "'table', 'table TEMPLATE', 'json', or a Go template" },
    interval: { type: 'number', short: 'i', value: 'SECONDS', default: 1, help: 'time between two reports' },
    'no-reset': { type: 'boolean', help: 'do not clear the screen between two reports' },
    'no-stream': { type: 'boolean', help: 'print one report and end' },
    'no-trunc': { type: 'boolean', help: 'do not shorten ids' },
  },
  examples: ['stats', 'stats --no-stream web', "stats --format '{{.Name}}: {{.MemUsage}}'"],
  description:
    'Without CONTAINER: all running containers, also those that start meanwhile. A report follows the other, on a terminal ' +
    'in its place. What is not known is shown as "--": of a container that does not run, or where nobody counts it.',
  async run({ args, flags, cx }) {
    if (!(flags.interval > 0))
      throw new EngineError('USAGE', `--interval ${flags.interval}: expected a positive number`);
    const isAll = args.length === 0 && flags.latest !== true;
    const chosen: WatchedContainer[] = [];
    const targets = isAll ? [] : targetsOf(cx.paths, args, { latest: flags.latest }, 'stats');
    const status = await forEachTarget(cx, targets, (typed) => {
      chosen.push({ id: findContainer(cx.paths, typed).id, typed });
    });
    if (status !== 0) return status;
    const list = statsFormat(flags['no-trunc'] === true);
    formatList([], list, flags.format); // a bad one is an error at once
    const reset =
      flags['no-stream'] !== true && flags['no-reset'] !== true && isScreen(cx.io, cx.env['TERM']);
    const request = {
      chosen: isAll ? undefined : chosen,
      all: flags.all === true,
      intervalMs: flags.interval * 1000,
    };
    for await (const report of watchContainers(cx.paths, request, cx.signal)) {
      const lines = formatList(report, list, flags.format);
      if (reset) cx.io.stdoutBytes(Buffer.from(redraw(lines)));
      else for (const line of lines) cx.io.stdout(line);
      if (flags['no-stream'] === true) return 0;
    }
    return cx.signal.aborted ? 130 : 0;
  },
});

/** docker clears the screen even where there is none; a file or a pipe gets one plain report after the other. */
function isScreen({ stdoutIsTerminal }: Io, term: string | undefined): boolean {
  return stdoutIsTerminal && term !== undefined && term !== '' && term !== 'dumb';
}

/** Over the report before, line by line and in one write, so that nothing flickers. */
function redraw(lines: readonly string[]): string {
  const [home, endOfLine, endOfScreen] = ['\x1b[H', '\x1b[K', '\x1b[J'];
  return `${home}${lines.map((line) => `${line}${endOfLine}\n`).join('')}${endOfScreen}`;
}

const UNKNOWN = '--';

function statsFormat(long: boolean): ListFormat<ContainerStats> {
  return {
    table:
      'table {{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}',
    fields: {
      BlockIO: { header: 'BLOCK I/O', value: ({ io }) => pair(io?.readBytes, io?.writtenBytes, humanSize) },
      CPUPerc: { header: 'CPU %', value: ({ cpuPercent }) => percent(cpuPercent) },
      Container: { header: 'CONTAINER', value: ({ typed }) => typed },
      ID: { header: 'CONTAINER ID', value: ({ spec }) => (long ? spec.id : spec.id.slice(0, 12)) },
      MemPerc: {
        header: 'MEM %',
        value: ({ memoryBytes, memoryLimitBytes }) =>
          percent(
            memoryBytes === undefined || memoryLimitBytes === undefined || memoryLimitBytes === 0
              ? undefined
              : (memoryBytes / memoryLimitBytes) * 100,
          ),
      },
      MemUsage: {
        header: 'MEM USAGE / LIMIT',
        value: ({ memoryBytes, memoryLimitBytes }) =>
          memoryBytes === undefined && memoryLimitBytes === undefined
            ? `${UNKNOWN} / ${UNKNOWN}`
            : pair(memoryBytes, memoryLimitBytes, humanMemory),
      },
      Name: { header: 'NAME', value: ({ spec }) => spec.name },
      NetIO: { header: 'NET I/O', value: ({ net }) => pair(net?.receivedBytes, net?.sentBytes, humanSize) },
      PIDs: { header: 'PIDS', value: ({ pids }) => (pids === undefined ? UNKNOWN : String(pids)) },
    },
  };
}

function percent(value: number | undefined): string {
  return value === undefined ? UNKNOWN : `${value.toFixed(2)}%`;
}

/** Both or neither: docker's cell for what is not known is one mark. */
function pair(
  first: number | undefined,
  second: number | undefined,
  show: (bytes: number) => string,
): string {
  return first === undefined || second === undefined ? UNKNOWN : `${show(first)} / ${show(second)}`;
}
