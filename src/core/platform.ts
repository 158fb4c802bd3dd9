// Which of an index's manifests fits a machine (image-spec image-index.md, "platform"; the normal forms and orders of
// preference are containerd's). Pure.

import { EngineError } from './errors.ts';
import type { Descriptor, Platform } from '../oci/image.ts';

const ARCHITECTURES: Readonly<Record<string, { architecture: string; variant?: string }>> = {
  x86_64: { architecture: 'amd64' },
  'x86-64': { architecture: 'amd64' },
  aarch64: { architecture: 'arm64' },
  arm64: { architecture: 'arm64' },
  armhf: { architecture: 'arm', variant: 'v7' },
  armel: { architecture: 'arm', variant: 'v6' },
  i386: { architecture: '386' },
  i486: { architecture: '386' },
  i586: { architecture: '386' },
  i686: { architecture: '386' },
  mips64el: { architecture: 'mips64le' },
  mipsel: { architecture: 'mipsle' },
  loongarch64: { architecture: 'loong64' },
};

/** Go's names, which platforms are made of. */
const KNOWN_OS: readonly string[] = [
  'aix',
  'android',
  'darwin',
  'dragonfly',
  'freebsd',
  'illumos',
  'ios',
  'js',
  'linux',
  'netbsd',
  'openbsd',
  'plan9',
  'solaris',
  'wasip1',
  'windows',
];
const KNOWN_ARCHITECTURES: readonly string[] = [
  '386',
  'amd64',
  'arm',
  'arm64',
  'loong64',
  'mips',
  'mips64',
  'mips64le',
  'mipsle',
  'ppc64',
  'ppc64le',
  'riscv64',
  's390x',
  'wasm',
];

/** Node's process.arch where it differs from Go's GOARCH. */
const NODE_ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386', ppc64: 'ppc64le' };

/** nodeArch: process.arch; armVersion: 6 or 7 on a 32 bit arm host. */
export function hostPlatform(nodeArch: string, armVersion = 7): Platform {
  const architecture = NODE_ARCHITECTURES[nodeArch] ?? nodeArch;
  return { os: 'linux', architecture, ...(architecture === 'arm' ? { variant: `v${armVersion}` } : {}) };
}

/** `linux/arm64`, `linux/arm/v7`, `arm64`, `linux`. What is left out comes from `host`. @throws USAGE */
export function parsePlatform(text: string, host: Platform): Platform {
  const parts = text.toLowerCase().split('/');
  if (parts.length > 3 || parts.some((part) => !/^[a-z0-9._-]+$/.test(part))) throw badPlatform(text);
  const [first = '', second, third] = parts;
  if (second === undefined) return parseWord(text, first, host);
  return normalize({ os: first, architecture: second, ...(third === undefined ? {} : { variant: third }) });
}

/** An operating system or an architecture alone. */
function parseWord(text: string, word: string, host: Platform): Platform {
  if (word === host.os) return host;
  if (KNOWN_OS.includes(word)) return normalize({ os: word, architecture: host.architecture });
  const platform = normalize({ os: host.os, architecture: word });
  if (KNOWN_ARCHITECTURES.includes(platform.architecture)) return platform;
  throw new EngineError(
    'USAGE',
    `reading platform "${text}": neither an operating system nor an architecture`,
    {
      hint: `architectures are ${KNOWN_ARCHITECTURES.join(', ')}; operating systems ${KNOWN_OS.join(', ')}`,
    },
  );
}

/** --platform, or --os, --arch and --variant; undefined when none is given: the host's platform will do. */
export function platformFromFlags(
  flags: {
    platform?: string | undefined;
    os?: string | undefined;
    arch?: string | undefined;
    variant?: string | undefined;
  },
  host: Platform,
): Platform | undefined {
  const { platform, os, arch, variant } = flags;
  if (platform !== undefined && platform !== '') {
    if (os !== undefined || arch !== undefined || variant !== undefined) {
      throw new EngineError('USAGE', 'reading flags: --platform does not go with --os, --arch or --variant');
    }
    return parsePlatform(platform, host);
  }
  if (os === undefined && arch === undefined && variant === undefined) return undefined;
  return normalize({
    os: os ?? host.os,
    architecture: arch ?? host.architecture,
    ...(variant === undefined ? {} : { variant }),
  });
}

export function formatPlatform({ os, architecture, variant }: Platform): string {
  return `${os}/${architecture}${variant === undefined || variant === '' ? '' : `/${variant}`}`;
}

/** One spelling for each platform: x86_64 is amd64, arm without a variant is v7, arm64/v8 is arm64. */
export function normalize(platform: Platform): Platform {
  const known = ARCHITECTURES[platform.architecture.toLowerCase()];
  const architecture = known?.architecture ?? platform.architecture.toLowerCase();
  let variant: string | undefined = platform.variant?.toLowerCase() ?? known?.variant;
  if (variant === '') variant = known?.variant;
  if (architecture === 'arm') variant = variant === undefined ? 'v7' : variant.replace(/^(?=\d)/, 'v');
  if (architecture === 'arm64' && (variant === 'v8' || variant === '8')) variant = undefined;
  if (architecture === 'amd64' && variant === 'v1') variant = undefined;
  return {
    ...without(platform),
    os: platform.os.toLowerCase(),
    architecture,
    ...(variant === undefined ? {} : { variant }),
  };
}

/**
 * How well `offered` serves `wanted`: 0 is exact, undefined not at all. An arm processor runs code of lower versions; a
 * variant nobody asked for (amd64/v3) comes last.
 */
export function rankPlatform(wanted: Platform, offered: Platform): number | undefined {
  const want = normalize(wanted);
  const offer = normalize(offered);
  if (want.os !== offer.os || want.architecture !== offer.architecture) return undefined;
  const [wantVersion, offerVersion] = [versionOf(want), versionOf(offer)];
  if (wantVersion === offerVersion) return want.variant === offer.variant ? 0 : 1;
  if (wantVersion === undefined || offerVersion === undefined) return 20;
  return offerVersion < wantVersion
    ? wantVersion - offerVersion
    : want.variant === undefined
      ? 20 + offerVersion
      : undefined;
}

/**
 * The manifest for `wanted`; the first of equals. Entries without a platform, and those for unknown/unknown
 * (attestations), are passed over unless there is only one entry at all.
 * @throws PLATFORM_NOT_FOUND listing what there is
 */
export function choosePlatform(manifests: readonly Descriptor[], wanted: Platform, what: string): Descriptor {
  let best: { descriptor: Descriptor; rank: number } | undefined;
  for (const descriptor of manifests) {
    const rank = descriptor.platform === undefined ? undefined : rankPlatform(wanted, descriptor.platform);
    if (rank !== undefined && (best === undefined || rank < best.rank)) best = { descriptor, rank };
  }
  if (best !== undefined) return best.descriptor;
  const [only] = manifests;
  if (only !== undefined && manifests.length === 1 && only.platform === undefined) return only;
  throw platformNotFound(
    what,
    wanted,
    manifests.flatMap(({ platform }) => (platform === undefined ? [] : [platform])),
  );
}

export function platformNotFound(what: string, wanted: Platform, offered: readonly Platform[]): EngineError {
  const names = [...new Set(offered.map((platform) => formatPlatform(platform)))].filter(
    (n) => n !== 'unknown/unknown',
  );
  return new EngineError(
    'PLATFORM_NOT_FOUND',
    `${what}: no image for ${formatPlatform(wanted)}; there is ${names.length === 0 ? 'none at all' : names.join(', ')}`,
    {
      hint: names.length === 0 ? undefined : `choose one with --platform, for example --platform ${names[0]}`,
    },
  );
}

function versionOf({ variant, architecture }: Platform): number | undefined {
  if (variant === undefined) return architecture === 'amd64' ? 1 : architecture === 'arm64' ? 8 : 0;
  const match = /^v(\d+)/.exec(variant);
  return match === null ? undefined : Number(match[1]);
}

function without(platform: Platform): Platform {
  const rest = { ...platform };
  delete rest.variant;
  return rest;
}

function badPlatform(text: string): EngineError {
  return new EngineError('USAGE', `reading platform "${text}": not OS/ARCH[/VARIANT]`, {
    hint: 'for example linux/amd64, linux/arm64 or linux/arm/v7',
  });
}
