// The tables of `system df -v`, in docker's layout. (pure)

import type { ListedContainer } from '../container/list.ts';
import type { ImageUsage, VolumeUsage } from '../system/df-details.ts';
import { formatList, lineFormatter, type ListFormat } from './format.ts';
import { humanAgo, humanSize } from './human.ts';

export interface DfDetails {
  images: readonly ImageUsage[];
  /** With the size of what was written, and what `ps` says of it. */
  containers: readonly (ListedContainer & { sizeBytes: number; command: string; status: string })[];
  volumes: readonly VolumeUsage[];
}

/** Without format docker's four tables; else the template, or `json`, over all of them. @throws USAGE */
export function dfTables(
  { images, containers, volumes }: DfDetails,
  format: string | undefined,
  nowMs: number,
): string[] {
  const lists = { image: imageFormat(nowMs), container: containerFormat(nowMs) };
  if (format !== undefined && format !== '' && format !== 'table') {
    const rowsOf = <T>(rows: readonly T[], list: ListFormat<T>): unknown[] =>
      formatList(rows, list, 'json').map((line) => JSON.parse(line) as unknown);
    const all = {
      Images: rowsOf(images, lists.image),
      Containers: rowsOf(containers, lists.container),
      Volumes: rowsOf(volumes, VOLUME),
      BuildCache: [],
    };
    return [lineFormatter(format, (value) => JSON.stringify(value ?? null))(all)];
  }
  return [
    'Images space usage:',
    '',
    ...formatList(images, lists.image),
    '',
    'Containers space usage:',
    '',
    ...formatList(containers, lists.container),
    '',
    'Local Volumes space usage:',
    '',
    ...formatList(volumes, VOLUME),
    '',
    'Build cache usage: 0B',
    '',
    ...formatList([], CACHE),
  ];
}

function imageFormat(nowMs: number): ListFormat<ImageUsage> {
  return {
    table:
      'table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}\t{{.SharedSize}}\t{{.UniqueSize}}\t{{.Containers}}',
    fields: {
      Repository: { header: 'REPOSITORY', value: ({ repository }) => repository },
      Tag: { header: 'TAG', value: ({ tag }) => tag },
      ID: { header: 'IMAGE ID', value: ({ id }) => id.replace(/^sha256:/, '').slice(0, 12) },
      CreatedSince: {
        header: 'CREATED',
        value: ({ createdMs }) => (createdMs === 0 ? 'N/A' : humanAgo(createdMs, nowMs)),
      },
      Size: { header: 'SIZE', value: ({ sizeBytes }) => humanSize(sizeBytes) },
      SharedSize: { header: 'SHARED SIZE', value: (row) => humanSize(row.sharedBytes) },
      UniqueSize: { header: 'UNIQUE SIZE', value: (row) => humanSize(row.sizeBytes - row.sharedBytes, 4) },
      Containers: { header: 'CONTAINERS', value: (row) => String(row.containers) },
    },
  };
}

function containerFormat(nowMs: number): ListFormat<DfDetails['containers'][number]> {
  return {
    table:
      'table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.LocalVolumes}}\t{{.Size}}\t{{.RunningFor}}\t{{.Status}}\t{{.Names}}',
    fields: {
      ID: { header: 'CONTAINER ID', value: ({ spec }) => spec.id.slice(0, 12) },
      Image: {
        header: 'IMAGE',
        value: ({ spec }) => spec.image?.name ?? (spec.rootfs.kind === 'directory' ? spec.rootfs.path : ''),
      },
      Command: {
        header: 'COMMAND',
        value: ({ command }) => `"${command.length > 20 ? `${command.slice(0, 19)}…` : command}"`,
      },
      LocalVolumes: {
        header: 'LOCAL VOLUMES',
        value: ({ spec }) => String(spec.host.mounts.filter(({ type }) => type === 'volume').length),
      },
      Size: { header: 'SIZE', value: ({ sizeBytes }) => humanSize(sizeBytes) },
      RunningFor: { header: 'CREATED', value: ({ spec }) => humanAgo(Date.parse(spec.createdAt), nowMs) },
      Status: { header: 'STATUS', value: ({ status }) => status },
      Names: { header: 'NAMES', value: ({ spec }) => spec.name },
    },
  };
}

const VOLUME: ListFormat<VolumeUsage> = {
  table: 'table {{.Name}}\t{{.Links}}\t{{.Size}}',
  fields: {
    Name: { header: 'VOLUME NAME', value: ({ name }) => name },
    Links: { header: 'LINKS', value: ({ links }) => String(links) },
    Size: { header: 'SIZE', value: ({ sizeBytes }) => humanSize(sizeBytes) },
  },
};

/** Nothing is cached yet: the header alone. */
const CACHE: ListFormat<never> = {
  table:
    'table {{.ID}}\t{{.CacheType}}\t{{.Size}}\t{{.CreatedSince}}\t{{.LastUsedSince}}\t{{.UsageCount}}\t{{.Shared}}',
  fields: {
    ID: { header: 'CACHE ID', value: String },
    CacheType: { header: 'CACHE TYPE', value: String },
    Size: { header: 'SIZE', value: String },
    CreatedSince: { header: 'CREATED', value: String },
    LastUsedSince: { header: 'LAST USED', value: String },
    UsageCount: { header: 'USAGE', value: String },
    Shared: { header: 'SHARED', value: String },
  },
};
