// podman's `ps --sort`. (pure)

import type { ListedContainer } from './list.ts';
import { commandText } from './text.ts';

export const SORT_FIELDS = [
  'command',
  'created',
  'id',
  'image',
  'names',
  'runningfor',
  'size',
  'status',
] as const;

/** Ascending; `created` and `runningfor` begin with the oldest. Equal ones keep their order. */
export function sortContainers(
  containers: readonly ListedContainer[],
  field: string,
  bytesOf: (container: ListedContainer) => number,
): ListedContainer[] {
  const keyed = containers.map((container) => ({ container, key: keyOf(container, field, bytesOf) }));
  keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return keyed.map(({ container }) => container);
}

function keyOf(
  container: ListedContainer,
  field: string,
  bytesOf: (container: ListedContainer) => number,
): string | number {
  const { spec, state } = container;
  switch (field) {
    case 'command':
      return commandText(spec);
    case 'id':
      return spec.id;
    case 'image':
      return spec.image?.name ?? '';
    case 'names':
      return spec.name;
    case 'size':
      return bytesOf(container);
    case 'status':
      return state.status;
    default: // created, runningfor
      return spec.createdAt;
  }
}
