// `skiff ps`: the containers there are, in docker's table.

import { defineCommand } from '../cli/command.ts';
import { formatList, type ListFormat } from '../cli/format.ts';
import { goTime, humanAgo, humanSize } from '../cli/human.ts';
import { listContainers, writableBytes, type ListedContainer } from '../container/list.ts';
import { SORT_FIELDS, sortContainers } from '../container/sort.ts';
import { stateWord } from '../container/state.ts';
import { commandText, portsText, statusText } from '../container/text.ts';
import { EngineError } from '../core/errors.ts';

export default defineCommand({
  name: 'ps',
  group: 'container',
  aliases: ['container ls', 'container list'],
  summary: 'List containers',
  args: '',
  maxArgs: 0,
  flags: {
    all: { type: 'boolean', short: 'a', help: 'show all containers, not only running ones' },
    external: {
      type: 'boolean',
      hidden: true,
      help: 'accepted for podman: nobody else keeps containers in the store',
    },
    filter: { type: 'list', short: 'f', value: 'KEY=VALUE', help: 'show those that match' },
    format: { type: 'string', value: 'FORMAT', help: "'table', 'table TEMPLATE', 'json', or a Go template" },
    last: {
      type: 'number',
      short: 'n',
      value: 'N',
      help: 'show the n containers made last, whatever their state',
    },
    latest: { type: 'boolean', short: 'l', help: 'show the container made last' },
    'no-trunc': { type: 'boolean', help: 'do not shorten' },
    noheading: { type: 'boolean', help: 'leave out the header of the table' },
    quiet: { type: 'boolean', short: 'q', help: 'print ids alone' },
    sort: {
      type: 'string',
      value: 'FIELD',
      choices: SORT_FIELDS,
      help: 'order by that instead of newest first',
    },
    sync: {
      type: 'boolean',
      hidden: true,
      help: 'accepted for podman: the state shown is always that of now',
    },
    size: { type: 'boolean', short: 's', help: 'show sizes' },
  },
  examples: ['ps', 'ps --all --filter status=exited', "ps --format '{{.Names}}: {{.Status}}'"],
  async run({ flags, cx }) {
    const last = flags.latest === true ? 1 : (flags.last ?? -1);
    if (!Number.isInteger(last)) throw new EngineError('USAGE', `--last ${last}: expected a whole number`);
    const found = await listContainers(cx.paths, { all: flags.all === true, last, filters: flags.filter });
    const bytesOf = (container: ListedContainer): number => writableBytes(cx.paths, container.spec);
    const containers = flags.sort === undefined ? found : sortContainers(found, flags.sort, bytesOf);
    const long = flags['no-trunc'] === true;
    const list = psFormat(long, flags.size === true, bytesOf);
    const format = flags.quiet === true && (flags.format ?? '') === '' ? '{{.ID}}' : flags.format;
    const lines = formatList(containers, list, format, { noHeading: flags.noheading === true });
    if (lines.length > 0) cx.io.stdout(lines.join('\n'));
    return 0;
  },
});

function psFormat(
  long: boolean,
  withSize: boolean,
  bytesOf: (c: ListedContainer) => number,
): ListFormat<ListedContainer> {
  const nowMs = Date.now();
  const shorten = (text: string, length: number): string =>
    long || text.length <= length ? text : `${text.slice(0, length - 1)}…`;
  const mounts = ({ spec }: ListedContainer): string[] =>
    spec.host.mounts.map((mount) =>
      mount.type === 'bind' ? mount.source : mount.type === 'volume' ? (mount.name ?? '') : mount.target,
    );
  return {
    table: `table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}${withSize ? '\t{{.Size}}' : ''}`,
    fields: {
      ID: { header: 'CONTAINER ID', value: ({ spec }) => (long ? spec.id : spec.id.slice(0, 12)) },
      Image: {
        header: 'IMAGE',
        value: ({ spec }) => spec.image?.name ?? (spec.rootfs.kind === 'directory' ? spec.rootfs.path : ''),
      },
      Command: { header: 'COMMAND', value: ({ spec }) => `"${shorten(commandText(spec), 20)}"` },
      CreatedAt: { header: 'CREATED AT', value: ({ spec }) => goTime(Date.parse(spec.createdAt)) },
      RunningFor: { header: 'CREATED', value: ({ spec }) => humanAgo(Date.parse(spec.createdAt), nowMs) },
      Status: {
        header: 'STATUS',
        value: ({ state, health }) => statusText(state, health, (ms) => humanAgo(ms, nowMs)),
      },
      HealthStatus: { header: 'HEALTH STATUS', notInJson: true, value: ({ health }) => health },
      State: { header: 'STATE', value: ({ state }) => stateWord(state) },
      Ports: {
        header: 'PORTS',
        value: ({ spec, state }) => (state.status === 'running' ? portsText(spec) : ''),
      },
      Names: { header: 'NAMES', value: ({ spec }) => spec.name },
      Labels: {
        header: 'LABELS',
        value: ({ spec }) =>
          Object.entries(spec.config.labels)
            .map(([key, value]) => `${key}=${value}`)
            .join(','),
      },
      Label: {
        header: '',
        notInJson: true,
        value:
          ({ spec }) =>
          (key: unknown) =>
            new Map(Object.entries(spec.config.labels)).get(String(key)) ?? '',
      },
      Mounts: {
        header: 'MOUNTS',
        value: (container) =>
          mounts(container)
            .map((text) => shorten(text, 15))
            .join(','),
      },
      LocalVolumes: {
        header: 'LOCAL VOLUMES',
        value: ({ spec }) => String(spec.host.mounts.filter(({ type }) => type === 'volume').length),
      },
      Networks: { header: 'NETWORKS', value: ({ spec }) => spec.network.mode },
      Size: { header: 'SIZE', value: (container) => (withSize ? humanSize(bytesOf(container)) : '0B') },
      Platform: { header: 'PLATFORM', value: ({ spec }) => spec.image?.platform.os ?? 'linux' },
    },
  };
}
