// The text of a unit that keeps a container running. (pure) Why it is made as it is: docs/decisions/0020.

import { VERSION } from '../../core/version.ts';
import { commandWord, wholePath, word } from './quote.ts';

export interface UnitFacts {
  /** `container-web.service` */
  fileName: string;
  /** Name or id by which the unit addresses the container. */
  container: string;
  /** Program, and the global flags that lead to this store. */
  program: string;
  globals: readonly string[];
  /** Words after those that start the container and stay with it until its end. */
  start: readonly string[];
  /** For relative paths among them. */
  workingDirectory: string | undefined;
  graphRoot: string;
  /** `NAME=value` */
  environment: readonly string[];
  /** Signal that the container is stopped by. */
  stopSignal: number;
  /** Seconds; negative: never killed. */
  stopTimeoutS: number;
  startTimeoutS: number | undefined;
  restart: string;
  restartS: number | undefined;
  after: readonly string[];
  wants: readonly string[];
  requires: readonly string[];
  header: boolean;
  /** The unit is for the machine's systemd, not a user's own. */
  forRoot: boolean;
}

/** What TimeoutStopSec= leaves beyond the container's own time, for what follows its end. */
const CLEAN_UP_S = 60;

export function unitText(facts: UnitFacts): string {
  const { container, stopTimeoutS } = facts;
  const network = 'network-online.target';
  const stop = ['stop', '--ignore', '--time', String(stopTimeoutS), container];
  const sections = [
    ...(facts.header ? [header(facts)] : []),
    section('Unit', [
      ['Description', `Container ${container} of skiff`],
      ['Wants', [network, ...facts.wants].join(' ')],
      ['After', [network, ...facts.after].join(' ')],
      ['Requires', facts.requires.join(' ')],
      ['RequiresMountsFor', word(facts.graphRoot)],
    ]),
    section('Service', [
      ['Type', 'exec'],
      ['Environment', facts.environment.map(word).join(' ')],
      [
        'WorkingDirectory',
        facts.workingDirectory === undefined ? '' : `-${wholePath(facts.workingDirectory)}`,
      ],
      ['ExecStart', command(facts, facts.start)],
      ['ExecStop', command(facts, stop)],
      ['SuccessExitStatus', String(128 + facts.stopSignal)],
      ['Restart', facts.restart],
      ['RestartSec', facts.restartS?.toString() ?? ''],
      ['KillMode', 'mixed'],
      ['TimeoutStartSec', facts.startTimeoutS?.toString() ?? ''],
      ['TimeoutStopSec', stopTimeoutS < 0 ? 'infinity' : String(stopTimeoutS + CLEAN_UP_S)],
    ]),
    section('Install', [['WantedBy', 'default.target']]),
  ];
  return sections.join('\n');
}

function command({ program, globals }: UnitFacts, words: readonly string[]): string {
  return [word(program), ...[...globals, ...words].map(commandWord)].join(' ');
}

/** Settings without a value are left out. */
function section(name: string, settings: readonly (readonly [key: string, value: string])[]): string {
  const lines = settings.filter(([, value]) => value !== '').map(([key, value]) => `${key}=${value}\n`);
  return `[${name}]\n${lines.join('')}`;
}

function header({ fileName, forRoot }: UnitFacts): string {
  const systemctl = forRoot ? 'systemctl' : 'systemctl --user';
  const lines = [
    fileName,
    `made by "skiff generate systemd" of skiff ${VERSION}; put it into ${forRoot ? '/etc/systemd/system' : '~/.config/systemd/user'}, then`,
    '',
    `  ${systemctl} daemon-reload`,
    `  ${systemctl} enable --now ${fileName}`,
    ...(forRoot ? [] : ['  loginctl enable-linger   # start at boot, and go on after logout']),
  ];
  return lines.map((line) => `# ${line}`.trimEnd() + '\n').join('');
}
