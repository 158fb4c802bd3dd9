// Events of containers: docker's actor and attributes of one, and what the helper is given to tell of its life. (pure, but
// for the writing)

import type { PlanEvents } from '../native/plan.ts';
import type { VolumeMount } from '../runtime/mount-spec.ts';
import type { ContainerSpec } from '../runtime/spec.ts';
import { logEvent, subjectText, type EventSubject } from '../store/event-log.ts';
import { eventLogFile, ownVolumesDir, type StoreRoot } from '../store/layout.ts';
import { LOST } from './state.ts';

type Told = Pick<ContainerSpec, 'id' | 'name' | 'image' | 'config'>;

/** Logs what happened to a container: docker's word for it and the attributes that go with that word. */
export function logContainerEvent(
  root: StoreRoot,
  spec: Told,
  action: string,
  details?: Readonly<Record<string, string>>,
): void {
  logEvent(root, subjectOf(spec), action, details);
}

/** As docker, a label named like one of the others is hidden by it. */
export function subjectOf({ id, name, image, config }: Told): EventSubject {
  const from = image === undefined ? {} : { image: image.name };
  return { type: 'container', id, attributes: { ...config.labels, ...from, name } };
}

/** `die` of a container whose keeper was killed and so could not log it. */
export function logLostEnd(root: StoreRoot, spec: ContainerSpec): void {
  for (const mount of volumesOf(spec))
    logEvent(root, volumeSubject(mount, { container: spec.id }), 'unmount');
  logContainerEvent(root, spec, 'die', { exitCode: String(LOST) });
}

/** `destroy`, after that of the volumes which go with the container. */
export function logRemoval(root: StoreRoot, spec: ContainerSpec, isLost: boolean): void {
  if (isLost) logLostEnd(root, spec);
  for (const mount of ownVolumesOf(root, spec)) logEvent(root, volumeSubject(mount), 'destroy');
  logContainerEvent(root, spec, 'destroy');
}

/** For the keeper of the container, and its clients. */
export function planEvents(root: StoreRoot, spec: ContainerSpec): PlanEvents {
  const volumes = volumesOf(spec);
  const container = spec.id;
  return {
    log: eventLogFile(root),
    subject: subjectText(subjectOf(spec)),
    mounted: volumes.map((mount) => subjectText(volumeSubject(mount, { container, ...mountDetails(mount) }))),
    unmounted: volumes.map((mount) => subjectText(volumeSubject(mount, { container }))),
    destroyed: ownVolumesOf(root, spec).map((mount) => subjectText(volumeSubject(mount))),
  };
}

/** docker's two: the second is logged before the command is tried. */
export function logExec(
  root: StoreRoot,
  spec: ContainerSpec,
  words: readonly string[],
  execID: string,
): void {
  const [program = '', ...args] = words;
  const command = `${program} ${args.join(' ')}`;
  logContainerEvent(root, spec, `exec_create: ${command}`, { execID });
  logContainerEvent(root, spec, `exec_start: ${command}`, { execID });
}

/** For a process of `exec`. */
export function sessionEvents(root: StoreRoot, spec: ContainerSpec, execId: string): PlanEvents {
  const subject = subjectOf(spec);
  const attributes = { ...subject.attributes, execID: execId };
  return {
    log: eventLogFile(root),
    subject: subjectText({ ...subject, attributes }),
    mounted: [],
    unmounted: [],
    destroyed: [],
  };
}

function mountDetails({ target, flags }: VolumeMount): Record<string, string> {
  return { destination: target, propagation: '', 'read/write': String(flags.readOnly !== true) };
}

function volumeSubject({ name = '' }: VolumeMount, attributes: Record<string, string> = {}): EventSubject {
  return { type: 'volume', id: name, attributes: { driver: 'local', ...attributes } };
}

function volumesOf({ host }: ContainerSpec): VolumeMount[] {
  return host.mounts.filter((mount) => mount.type === 'volume');
}

/** Anonymous volumes of a --rm container are in its folder and go with it. */
function ownVolumesOf(root: StoreRoot, spec: ContainerSpec): VolumeMount[] {
  const dir = `${ownVolumesDir(root, spec.id)}/`;
  return volumesOf(spec).filter(({ source }) => source?.kind === 'directory' && source.path.startsWith(dir));
}
