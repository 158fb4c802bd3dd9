import { describe, expect, test } from 'vitest';
import { digestOf } from '../../../src/core/digest.ts';
import {
  choosePlatform,
  formatPlatform,
  hostPlatform,
  parsePlatform,
  platformFromFlags,
} from '../../../src/core/platform.ts';
import type { Platform } from '../../../src/oci/image.ts';
import { CHOICES, TEXTS } from './platform.cases.ts';

/** As it stands, without any normal form. */
function platform(text: string): Platform {
  const [os = '', architecture = '', variant] = text.split('/');
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}

const descriptor = (text: string) => ({
  mediaType: '',
  digest: digestOf(text),
  size: 1,
  platform: platform(text),
});

describe('choosing', () => {
  test.each(CHOICES)('%s of %j: %s', (wanted, offered, chosen) => {
    const choose = () => choosePlatform(offered.map(descriptor), platform(wanted), 'pulling "x"');
    if (chosen === undefined) expect(choose).toThrow(expect.objectContaining({ code: 'PLATFORM_NOT_FOUND' }));
    else expect(choose().digest).toBe(digestOf(chosen));
  });

  test('the first of equals', () => {
    const [a, b] = [descriptor('linux/amd64'), { ...descriptor('linux/amd64'), digest: digestOf('b') }];
    expect(choosePlatform([a, b], platform('linux/amd64'), '').digest).toBe(a.digest);
  });

  test('the only entry of an index that says no platform', () => {
    const entry = { mediaType: '', digest: digestOf('x'), size: 1 };
    expect(choosePlatform([entry], platform('linux/amd64'), '')).toBe(entry);
    expect(() => choosePlatform([entry, entry], platform('linux/amd64'), '')).toThrow(/there is none at all/);
  });
});

test.each(TEXTS)('%j on %s is %s', (text, host, formatted) => {
  const parse = () => formatPlatform(parsePlatform(text, platform(host)));
  if (formatted === undefined) expect(parse).toThrow(expect.objectContaining({ code: 'USAGE' }));
  else expect(parse()).toBe(formatted);
});

test.each([
  ['x64', 'linux/amd64'],
  ['arm64', 'linux/arm64'],
  ['arm', 'linux/arm/v7'],
  ['ia32', 'linux/386'],
  ['ppc64', 'linux/ppc64le'],
  ['riscv64', 'linux/riscv64'],
])('this machine as Node calls it: %s', (arch, formatted) =>
  expect(formatPlatform(hostPlatform(arch))).toBe(formatted),
);

test('flags', () => {
  const host = platform('linux/amd64');
  expect(platformFromFlags({}, host)).toBeUndefined();
  expect(platformFromFlags({ arch: 'aarch64' }, host)).toEqual(platform('linux/arm64'));
  expect(platformFromFlags({ os: 'windows', variant: 'v3' }, host)).toEqual(platform('windows/amd64/v3'));
  expect(() => platformFromFlags({ platform: 'linux/arm64', arch: 'arm' }, host)).toThrow(/does not go with/);
});
