// The real kernel's opinion of the default filter: a small C program puts itself under it.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEFAULT_CAPABILITIES } from '../../../../src/runtime/capabilities.ts';
import { nativeArchitecture } from '../../../../src/runtime/seccomp/architectures.ts';
import { compileSeccomp } from '../../../../src/runtime/seccomp/compile.ts';
import { DEFAULT_PROFILE } from '../../../../src/runtime/seccomp/default-profile.ts';

let dir: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'skiff-seccomp-'));
  execFileSync('cc', ['-O1', '-o', join(dir, 'probe'), join(import.meta.dirname, 'under-filter.c')]);
});

afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
});

function under(capabilities: string[]): Record<string, string> {
  const arch = nativeArchitecture();
  if (arch === undefined) throw new Error(`no table for ${process.arch}`);
  const filter = compileSeccomp(DEFAULT_PROFILE, {
    arch,
    capabilities: new Set(capabilities),
    kernel: [5, 0],
  });
  writeFileSync(join(dir, 'filter'), filter);
  const output = execFileSync(join(dir, 'probe'), [join(dir, 'filter')], { encoding: 'utf8' });
  return Object.fromEntries(
    output
      .trim()
      .split('\n')
      .map((line) => [line.slice(0, line.lastIndexOf(' ')), line.slice(line.lastIndexOf(' ') + 1)]),
  );
}

describe('default filter in the kernel', () => {
  it('says what the table of cases says', () => {
    expect(under(DEFAULT_CAPABILITIES.map((name) => `CAP_${name}`))).toEqual({
      getpid: 'ok',
      'socket inet': 'ok',
      'socket vsock': 'EPERM',
      'socket alg': 'EPERM',
      'unshare user': 'EPERM',
      clone3: 'ENOSYS',
      mount: 'EPERM',
      keyctl: 'EPERM',
      'personality query': 'ok',
      'personality addr_no_randomize': 'EPERM',
      'x32 getpid': 'ENOSYS',
      future: 'ENOSYS',
      fork: 'ok',
      wait: 'ok',
    });
  });

  it('leaves it to the kernel where the capability is there', () => {
    const verdicts = under(['CAP_SYS_ADMIN']);
    expect(verdicts['clone3']).not.toBe('ENOSYS'); // EINVAL: no arguments
    expect(verdicts['socket vsock']).toBe('EPERM');
  });
});
