import { describe, expect, test } from 'vitest';
import { logoutNote, parseLogind, type LogoutFacts } from '../../../src/container/logout.ts';

const SESSION = '0::/user.slice/user-1000.slice/session-3.scope\n';
const MANAGER = '0::/user.slice/user-1000.slice/user@1000.service/app.slice/term.scope\n';
const KILLS = ['[Login]\nKillUserProcesses=yes\n'];
const KEEPS = ['[Login]\n#KillUserProcesses=no\n'];

const NO_LINE = undefined;
const LINGER = /log out; "loginctl enable-linger" keeps/;
const BOTH = /KillUserProcesses=yes\); "loginctl enable-linger" once, and "systemd-run --user --scope/;
const SCOPE = /KillUserProcesses=yes\); "systemd-run --user --scope/;

describe('the line', () => {
  test.each<[what: string, facts: Partial<LogoutFacts>, line: RegExp | undefined]>([
    ['a session, nothing killed', { cgroup: SESSION }, NO_LINE],
    ['a session whose processes are killed', { cgroup: SESSION, logindConf: KILLS }, BOTH],
    ['the same, lingering', { cgroup: SESSION, logindConf: KILLS, lingers: true }, SCOPE],
    [
      'the same, for a user who is spared',
      { cgroup: SESSION, logindConf: [...KILLS, '[Login]\nKillExcludeUsers=ann bob'] },
      NO_LINE,
    ],
    [
      'the same, for others alone',
      { cgroup: SESSION, logindConf: [...KILLS, '[Login]\nKillOnlyUsers=bob'] },
      NO_LINE,
    ],
    ['a session, in a scope of its own', { cgroup: SESSION, scoped: true, logindConf: KILLS }, LINGER],
    ['the same, lingering', { cgroup: SESSION, scoped: true, logindConf: KILLS, lingers: true }, NO_LINE],
    ["below the user's systemd", { cgroup: MANAGER }, LINGER],
    ['the same, lingering', { cgroup: MANAGER, lingers: true, logindConf: KILLS }, NO_LINE],
    ['cgroup v1', { cgroup: `7:pids:/user.slice\n1:name=systemd:${MANAGER.slice(3)}` }, LINGER],
    ['a system service', { cgroup: '0::/system.slice/ci-runner.service\n' }, NO_LINE],
    ["another user's slice", { cgroup: MANAGER.replaceAll('1000', '1001') }, NO_LINE],
    ['a slice that looks like one of ours', { cgroup: `0::/x${MANAGER.slice(3)}` }, NO_LINE],
    ['a cgroup namespace', { cgroup: '0::/\n', logindConf: KILLS }, NO_LINE],
    ['no cgroups', { cgroup: '' }, NO_LINE],
  ])('%s', (_, facts, line) => {
    const note = logoutNote({
      hostUid: 1000,
      user: 'ann',
      cgroup: SESSION,
      scoped: false,
      lingers: false,
      logindConf: KEEPS,
      ...facts,
    });
    if (line === NO_LINE) expect(note).toBeUndefined();
    else expect(note).toMatch(line);
  });
});

describe('logind.conf', () => {
  test.each<[texts: string[], kill: boolean]>([
    [[], false],
    [['[Login]\n#KillUserProcesses=yes\n'], true],
    [['[Login]\n#KillUserProcesses=no\n', '[Login]\nKillUserProcesses=on\n'], true],
    [['[Login]\nKillUserProcesses=yes', '[Login]\nKillUserProcesses=no'], false],
    [['[Login]\n  KillUserProcesses = 1 \n'], true],
    [['[Other]\nKillUserProcesses=yes\n'], false],
    [['KillUserProcesses=yes\n'], false],
    [['[Login]\n; KillUserProcesses=yes\n'], false],
  ])('%j', (texts, kill) => expect(parseLogind(texts).kill).toBe(kill));

  test('lists add up, and an empty value begins anew', () => {
    const text = '[Login]\nKillExcludeUsers=ann\nKillOnlyUsers=a\nKillOnlyUsers=\nKillOnlyUsers=b c\n';
    expect(parseLogind([text])).toMatchObject({ exclude: ['root', 'ann'], only: ['b', 'c'] });
  });
});
