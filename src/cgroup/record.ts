// containers/<id>/cgroup: where the container's group is. The helper writes it before it makes the group, so that whoever
// finds a container whose keeper was killed knows what is left, and it goes with the group:
//
//   version=2
//   path=/sys/fs/cgroup/user.slice/…/skiff-<id>.scope/container
//   unit=skiff-<id>.scope
//   manager=user
//
// or, on cgroup v1, `version=1` and a line `<controller>=<directory>` for each.

import { readFileIfExists } from '../core/fs.ts';
import { containerDir, type StoreRoot } from '../store/layout.ts';
import { V1_CONTROLLERS, type ContainerCgroup, type V1Controller } from './types.ts';

/** The group of a container, undefined when it has none. The container may have ended since: then the directories are gone. */
export function readCgroup(root: StoreRoot, id: string): ContainerCgroup | undefined {
  return readCgroupIn(containerDir(root, id));
}

/** The same of containers/<id>, wherever that is. */
export function readCgroupIn(dir: string): ContainerCgroup | undefined {
  const text = readFileIfExists(`${dir}/cgroup`);
  return text === undefined ? undefined : parseCgroup(text);
}

/** Pure. undefined for what is not, or not completely, such a record. */
export function parseCgroup(text: string): ContainerCgroup | undefined {
  if (!text.endsWith('\n')) return undefined;
  const values = new Map(
    text
      .split('\n')
      .map((line) => /^([a-z0-9]+)=(.+)$/.exec(line))
      .flatMap((match) => (match === null ? [] : [[match[1] as string, match[2] as string] as const])),
  );
  const version = values.get('version');
  if (version === '2') {
    const path = values.get('path');
    if (!isGroup(path)) return undefined;
    const unit = values.get('unit');
    const manager = values.get('manager') === 'system' ? 'system' : 'user';
    return { version: 2, path, ...(unit !== undefined && { unit: { name: unit, manager } }) };
  }
  if (version !== '1') return undefined;
  const paths: Partial<Record<V1Controller, string>> = {};
  for (const controller of V1_CONTROLLERS) {
    const path = values.get(controller);
    if (isGroup(path)) paths[controller] = path;
  }
  return { version: 1, paths };
}

/** A group is killed and removed by its record's word: it must be one of a container. */
function isGroup(path: string | undefined): path is string {
  return path?.startsWith('/') === true && !path.split('/').includes('..');
}

/** Pure. What parseCgroup reads. */
export function formatRecord(cgroup: ContainerCgroup): string {
  const lines =
    cgroup.version === 2
      ? [
          `path=${cgroup.path}`,
          ...(cgroup.unit ? [`unit=${cgroup.unit.name}`, `manager=${cgroup.unit.manager}`] : []),
        ]
      : Object.entries(cgroup.paths).map(([controller, path]) => `${controller}=${path}`);
  return `version=${cgroup.version}\n${lines.join('\n')}\n`;
}
