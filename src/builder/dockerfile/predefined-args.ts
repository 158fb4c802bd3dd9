// Build arguments that exist without an ARG (Dockerfile reference, "Predefined ARGs", "Automatic platform ARGs", "BuildKit
// built-in build args"). (pure)

import { formatPlatform } from '../../core/platform.ts';
import type { Platform } from '../../oci/image.ts';

const PROXIES = ['HTTP_PROXY', 'HTTPS_PROXY', 'FTP_PROXY', 'NO_PROXY', 'ALL_PROXY'];
const ALSO_KNOWN = ['SOURCE_DATE_EPOCH'];

/** Given, for FROM; a stage gets at them by an ARG without a value. */
export function platformArgs(
  buildPlatform: Platform,
  targetPlatform: Platform,
  targetStage: string | undefined,
): [name: string, value: string][] {
  const of = (prefix: string, platform: Platform): [string, string][] => [
    [`${prefix}PLATFORM`, formatPlatform(platform)],
    [`${prefix}OS`, platform.os],
    [`${prefix}OSVERSION`, platform['os.version'] ?? ''],
    [`${prefix}ARCH`, platform.architecture],
    [`${prefix}VARIANT`, platform.variant ?? ''],
  ];
  return [
    ...of('BUILD', buildPlatform),
    ...of('TARGET', targetPlatform),
    ['TARGETSTAGE', targetStage ?? 'default'],
  ];
}

/**
 * `NAME=value` of the proxies among the build arguments, in both cases, for every RUN: neither part of its key nor of the
 * history. What the stage sets itself goes first.
 */
export function proxyEnv(buildArgs: ReadonlyMap<string, string>): string[] {
  return [...buildArgs].flatMap(([name, value]) =>
    isProxy(name) ? [`${name.toUpperCase()}=${value}`, `${name.toLowerCase()}=${value}`] : [],
  );
}

/** Consumed by us, whatever the Dockerfile declares. */
export function isPredefined(name: string): boolean {
  return isProxy(name) || name.startsWith('BUILDKIT_') || ALSO_KNOWN.includes(name) || isPlatformArg(name);
}

function isProxy(name: string): boolean {
  return PROXIES.includes(name.toUpperCase());
}

function isPlatformArg(name: string): boolean {
  return /^(?:(?:BUILD|TARGET)(?:PLATFORM|OS|OSVERSION|ARCH|VARIANT)|TARGETSTAGE)$/.test(name);
}
