// --filter of `events` on some events: docker's daemon/events/filter.go.

const WEB = {
  type: 'container',
  id: 'aaa111',
  attributes: { image: 'docker.io/library/nginx:1', name: 'web', app: 'shop', empty: '' },
};

export const LINES: Readonly<Record<string, object>> = {
  start: { action: 'start', ...WEB },
  die: { action: 'die', with: { exitCode: '0' }, ...WEB },
  exec: { action: 'exec_start: sh -c exec_start', ...WEB },
  health: { action: 'health_status: healthy', ...WEB },
  other: { action: 'start', type: 'container', id: 'bbb222', attributes: { image: 'nginx', name: 'db' } },
  pull: { action: 'pull', type: 'image', id: 'nginx:1', attributes: { name: 'nginx', app: 'shop' } },
  untag: { action: 'untag', type: 'image', id: 'sha256:ccc', attributes: { name: 'sha256:ccc' } },
  mount: {
    action: 'mount',
    type: 'volume',
    id: 'web-data',
    attributes: { driver: 'local', container: 'aaa111' },
  },
};

/** Filters, and which of LINES pass. */
export const FILTERS: readonly [filters: string[], passing: string[]][] = [
  [[], Object.keys(LINES)],
  [['event=start'], ['start', 'other']],
  [
    ['event=start', 'event=die'],
    ['start', 'die', 'other'],
  ],
  [['event=exec_start'], ['exec']],
  [['event=health_status'], ['health']],
  [['event=health_status: healthy'], ['health']],
  [['event=health_status: unhealthy'], []],
  [['event=exec'], []],
  [['event=star'], []],
  [['type=image'], ['pull', 'untag']],
  [
    ['type=volume', 'type=image'],
    ['pull', 'untag', 'mount'],
  ],
  [['type=network'], []],
  [['container=web'], ['start', 'die', 'exec', 'health']],
  [['container=we'], ['start', 'die', 'exec', 'health']],
  [['container=aaa'], ['start', 'die', 'exec', 'health']],
  [['container=eb'], []],
  [
    ['container=web', 'container=db'],
    ['start', 'die', 'exec', 'health', 'other'],
  ],
  [['container=web', 'event=start'], ['start']],
  [['container=web', 'type=volume'], []],
  [['volume=web-data'], ['mount']],
  [['volume=web'], ['mount']],
  [['image=nginx:1'], ['pull']],
  [['image=nginx'], ['start', 'die', 'exec', 'health', 'other', 'pull']],
  [['image=docker.io/library/nginx:1'], ['start', 'die', 'exec', 'health']],
  [['image=sha256:ccc'], ['untag']],
  [['image=ngin'], []],
  [['label=app'], ['start', 'die', 'exec', 'health', 'pull']],
  [['label=app=shop', 'type=image'], ['pull']],
  [['label=app=other'], []],
  [
    ['label=app', 'label=empty'],
    ['start', 'die', 'exec', 'health'],
  ],
  [['label=empty='], ['start', 'die', 'exec', 'health']],
  [['label=exitCode=0'], ['die']],
  [['label=toString'], []],
  [['scope=local'], Object.keys(LINES)],
  [['scope=swarm'], []],
  [['daemon=x'], []],
  [['network=x'], []],
  [[' Type = image '], ['pull', 'untag']],
];

export const BAD_FILTERS: readonly string[] = ['', 'start', '=start', 'id=x', 'node=n', 'toString=x'];
