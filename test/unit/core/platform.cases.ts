// wanted, what there is in order, what is chosen (undefined: none). The orders of preference are containerd's.
export const CHOICES: readonly [wanted: string, offered: string[], chosen: string | undefined][] = [
  ['linux/amd64', ['linux/arm64', 'linux/amd64'], 'linux/amd64'],
  ['linux/amd64', ['windows/amd64'], undefined],
  ['linux/amd64', ['linux/amd64/v3', 'linux/amd64'], 'linux/amd64'],
  ['linux/amd64', ['linux/amd64/v3', 'linux/amd64/v2'], 'linux/amd64/v2'],
  ['linux/amd64/v3', ['linux/amd64', 'linux/amd64/v2', 'linux/amd64/v4'], 'linux/amd64/v2'],
  ['linux/amd64/v2', ['linux/amd64/v3'], undefined],
  ['linux/arm', ['linux/arm/v5', 'linux/arm/v7', 'linux/arm/v6'], 'linux/arm/v7'],
  ['linux/arm/v7', ['linux/arm/v5', 'linux/arm/v6', 'linux/arm64'], 'linux/arm/v6'],
  ['linux/arm/v6', ['linux/arm/v7'], undefined],
  ['linux/arm/v7', ['linux/arm'], 'linux/arm'],
  ['linux/arm64', ['linux/arm64/v8'], 'linux/arm64/v8'],
  ['linux/arm64/v8', ['linux/arm64'], 'linux/arm64'],
  ['linux/aarch64', ['linux/arm64'], 'linux/arm64'],
  ['linux/x86_64', ['unknown/unknown', 'linux/amd64'], 'linux/amd64'],
  ['linux/riscv64', ['unknown/unknown'], undefined],
  ['LINUX/AMD64', ['linux/amd64'], 'linux/amd64'],
];

// text, host, result of parse and format
export const TEXTS: readonly [text: string, host: string, formatted: string | undefined][] = [
  ['linux/amd64', 'linux/amd64', 'linux/amd64'],
  ['arm64', 'linux/amd64', 'linux/arm64'],
  ['linux', 'linux/arm64', 'linux/arm64'],
  ['linux/arm', 'linux/amd64', 'linux/arm/v7'],
  ['linux/armhf', 'linux/amd64', 'linux/arm/v7'],
  ['linux/arm/6', 'linux/amd64', 'linux/arm/v6'],
  ['linux/arm64/v8', 'linux/amd64', 'linux/arm64'],
  ['windows/amd64', 'linux/amd64', 'windows/amd64'],
  ['windows', 'linux/amd64', 'windows/amd64'],
  ['x86_64', 'linux/arm64', 'linux/amd64'],
  ['armhf', 'linux/amd64', 'linux/arm/v7'],
  ['bogus', 'linux/amd64', undefined],
  ['', 'linux/amd64', undefined],
  ['linux/', 'linux/amd64', undefined],
  ['a/b/c/d', 'linux/amd64', undefined],
  ['linux/amd 64', 'linux/amd64', undefined],
];
