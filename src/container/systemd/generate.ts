// `generate systemd`: a container's facts and the flags given → its unit. Nothing is started or enabled here.

import { EngineError } from '../../core/errors.ts';
import { DEFAULT_STOP_TIMEOUT_S, stopSignalNumber } from '../../runtime/signals.ts';
import type { ContainerSpec, Recipe } from '../../runtime/spec.ts';
import { unitText } from './unit.ts';

export interface SystemdFlags {
  after: string[];
  'container-prefix': string;
  env: string[];
  header: boolean;
  name: boolean;
  new: boolean;
  requires: string[];
  'restart-policy': string | undefined;
  'restart-sec': number | undefined;
  separator: string;
  'start-timeout': number | undefined;
  'stop-timeout': number | undefined;
  wants: string[];
}

export interface SystemdRequest {
  spec: ContainerSpec;
  flags: SystemdFlags;
  /** The executable of skiff. */
  program: string;
  graphRoot: string;
  env: Readonly<Record<string, string | undefined>>;
  forRoot: boolean;
  /** Command-line words of what a recipe asks for: the table of flags is the frame's. */
  runWords: (recipe: Recipe) => string[];
}

export interface Unit {
  /** `container-web`: file name without its ending. */
  name: string;
  text: string;
  /** What of the container the unit does not do. */
  notes: string[];
}

const RESTART_POLICIES = [
  'no',
  'on-success',
  'on-failure',
  'on-abnormal',
  'on-watchdog',
  'on-abort',
  'always',
];

/** (pure) @throws USAGE; CONTAINER_STATE for a container that cannot be started a second time */
export function systemdUnit(request: SystemdRequest): Unit {
  const { spec, flags } = request;
  const container = flags.name ? spec.name : spec.id;
  const name = unitName(flags, container);
  const stopTimeoutS = seconds('--stop-timeout', flags['stop-timeout'], -1) ?? spec.config.stopTimeoutS;
  const text = unitText({
    fileName: `${name}.service`,
    // A new one has the name, and another id each time.
    container: flags.new ? spec.name : container,
    program: request.program,
    globals: ['--root', request.graphRoot],
    start: flags.new ? newWords(request) : startWords(spec, container),
    workingDirectory: flags.new ? spec.recipe?.cwd : undefined,
    graphRoot: request.graphRoot,
    environment: environmentOf(flags.env, request.env),
    stopSignal: stopSignalNumber(spec.config.stopSignal),
    stopTimeoutS: stopTimeoutS ?? DEFAULT_STOP_TIMEOUT_S,
    startTimeoutS: seconds('--start-timeout', flags['start-timeout'], 0),
    restart: restartOf(spec, flags['restart-policy']),
    restartS: seconds('--restart-sec', flags['restart-sec'], 0),
    after: unitNames('--after', flags.after),
    wants: unitNames('--wants', flags.wants),
    requires: unitNames('--requires', flags.requires),
    header: flags.header,
    forRoot: request.forRoot,
  });
  return { name, text, notes: notesOf(spec, flags) };
}

function unitName(flags: SystemdFlags, container: string): string {
  const name = `${flags['container-prefix']}${flags.separator}${container}`;
  if (/^[A-Za-z0-9:_.-]{1,247}$/.test(name) && !name.startsWith('.')) return name;
  throw new EngineError(
    'USAGE',
    `unit name ${JSON.stringify(name)}: expected up to 247 letters, digits, :, _, . and -`,
    { hint: 'choose another --container-prefix or --separator' },
  );
}

/** The client of a container that stays: its exit status and output are systemd's to look at. */
function startWords({ name, host }: ContainerSpec, container: string): string[] {
  const oneTime = host.autoRemove ? '--rm' : host.scope === 'job' ? '--scope job' : undefined;
  if (oneTime === undefined) return ['start', '--attach', container];
  throw new EngineError(
    'CONTAINER_STATE',
    `generating a unit for container ${JSON.stringify(name)}: it was made with ${oneTime}, and so not to be started again`,
    { hint: 'with --new the unit makes a new container each time', exitCode: 1 },
  );
}

/** What the unit does itself, and what needs somebody to look on. */
const NOT_TAKEN_OVER = [
  'attach',
  'cidfile',
  'interactive',
  'name',
  'quiet',
  'replace',
  'restart',
  'rm',
  'scope',
];

/** `run --rm` in the foreground keeps the container in the service's own process: with that it is gone, whatever happens. */
function newWords({ spec, runWords }: SystemdRequest): string[] {
  const { recipe, name } = spec;
  if (recipe === undefined) {
    throw new EngineError(
      'CONTAINER_STATE',
      `generating a unit for container ${JSON.stringify(name)}: it was made by an earlier skiff, which did not keep its flags`,
      { hint: 'without --new the unit starts this container', exitCode: 1 },
    );
  }
  const flags = Object.fromEntries(
    Object.entries(recipe.flags).filter(([flag]) => !NOT_TAKEN_OVER.includes(flag)),
  );
  if (Array.isArray(flags['env'])) flags['env'] = withValues(flags['env'], spec.process.env);
  return ['run', '--rm', '--replace', '--name', name, ...runWords({ ...recipe, flags })];
}

/** `--env NAME` took the value of whoever made the container; the service has another environment. */
function withValues(texts: readonly string[], env: readonly string[]): string[] {
  return texts.flatMap((text) =>
    text.includes('=') ? [text] : (env.find((entry) => entry.startsWith(`${text}=`)) ?? []),
  );
}

function environmentOf(texts: readonly string[], env: SystemdRequest['env']): string[] {
  return texts.flatMap((text) => {
    const equals = text.indexOf('=');
    const name = equals < 0 ? text : text.slice(0, equals);
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
      throw new EngineError('USAGE', `--env ${JSON.stringify(text)}: expected NAME or NAME=VALUE`);
    if (equals >= 0) return [text];
    return env[name] === undefined ? [] : [`${name}=${env[name]}`];
  });
}

/** systemd alone restarts: when the container ends, ExecStop ends what its own policy may be about to do. */
function restartOf({ host }: ContainerSpec, flag: string | undefined): string {
  if (flag === undefined)
    return ['always', 'unless-stopped'].includes(host.restart.name) ? 'always' : 'on-failure';
  if (RESTART_POLICIES.includes(flag)) return flag;
  throw new EngineError(
    'USAGE',
    `--restart-policy ${JSON.stringify(flag)}: expected one of ${RESTART_POLICIES.join(', ')}`,
  );
}

function notesOf({ host: { restart } }: ContainerSpec, flags: SystemdFlags): string[] {
  if (restart.maxRetries === 0 || flags['restart-policy'] !== undefined) return [];
  return [
    `--restart on-failure:${restart.maxRetries}: the unit has no such limit; systemd's are StartLimitBurst= and StartLimitIntervalSec=`,
  ];
}

function unitNames(flag: string, names: readonly string[]): readonly string[] {
  const bad = names.find((name) => !/^[A-Za-z0-9:_.\\@%-]+\.[a-z]+$/.test(name));
  if (bad === undefined) return names;
  throw new EngineError(
    'USAGE',
    `${flag} ${JSON.stringify(bad)}: expected the name of a unit, such as postgresql.service`,
  );
}

function seconds(flag: string, value: number | undefined, least: number): number | undefined {
  if (value === undefined || (Number.isInteger(value) && value >= least)) return value;
  throw new EngineError('USAGE', `${flag} ${value}: expected a whole number of seconds`);
}
