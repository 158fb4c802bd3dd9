import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { lingers } from '../../../src/cgroup/linger.ts';
import { loginName } from '../../../src/core/login-name.ts';

test('as /etc/passwd has it', () => {
  const [name, , uid] = (readFileSync('/etc/passwd', 'utf8').split('\n')[0] ?? '').split(':');
  expect(loginName(Number(uid))).toBe(name);
});

test('who has no name does not linger', () => {
  expect(lingers(undefined)).toBe(false);
  expect(lingers('no-such-user-of-skiff')).toBe(false);
});
