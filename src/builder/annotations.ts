// --annotation: what it goes to, as buildx writes it. (pure)

import { EngineError } from '../core/errors.ts';
import { formatPlatform, hostPlatform, parsePlatform } from '../core/platform.ts';
import type { Platform } from '../oci/image.ts';

const TYPES = ['manifest', 'index', 'manifest-descriptor'] as const;
export type AnnotationType = (typeof TYPES)[number];

export interface Annotation {
  type: AnnotationType;
  /** Of several, this one alone; as formatPlatform. */
  platform: string | undefined;
  key: string;
  value: string;
}

const PREFIX = /^((?:[a-z-]+(?:\[[\w/-]+\])?,)*[a-z-]+(?:\[[\w/-]+\])?):(\S+)$/;

/** `KEY=VALUE`, or with `index:`, `manifest:`, `manifest[linux/arm64]:`, `index,manifest:` in front. @throws USAGE */
export function parseAnnotations(texts: readonly string[]): Annotation[] {
  return texts.flatMap((text) => {
    const at = text.indexOf('=');
    const name = at < 0 ? text : text.slice(0, at);
    const value = at < 0 ? '' : text.slice(at + 1);
    if (name === '') throw usage(text, 'expected KEY=VALUE');
    const [, types = 'manifest', key = name] = PREFIX.exec(name) ?? [];
    return types.split(',').map((word): Annotation => {
      const [, type = word, platform] = /^([a-z-]+)\[(.*)\]$/.exec(word) ?? [];
      const known = TYPES.find((one) => one === type);
      if (known === undefined) throw usage(text, `${type} is none of ${TYPES.join(', ')}`);
      return {
        ...{ type: known, key, value },
        platform:
          platform === undefined
            ? undefined
            : formatPlatform(parsePlatform(platform, hostPlatform(process.arch))),
      };
    });
  });
}

/** @throws USAGE where there is no index that they could go to */
export function checkAnnotations(
  annotations: readonly Annotation[],
  { hasIndex }: { hasIndex: boolean },
): void {
  const other = annotations.find(({ type }) => type !== 'manifest');
  if (hasIndex || other === undefined) return;
  throw new EngineError(
    'USAGE',
    `--annotation ${other.type}:${other.key}: an image of one platform has no index`,
    { exitCode: 1, hint: 'leave out the prefix, or build for several with --platform A,B' },
  );
}

export function annotationsOf(
  annotations: readonly Annotation[],
  type: AnnotationType,
  platform?: Platform,
): Record<string, string> {
  const shown = platform === undefined ? undefined : formatPlatform(platform);
  return Object.fromEntries(
    annotations
      .filter((one) => one.type === type && (one.platform === undefined || one.platform === shown))
      .map(({ key, value }) => [key, value]),
  );
}

function usage(text: string, cause: string): EngineError {
  return new EngineError('USAGE', `--annotation ${JSON.stringify(text)}: ${cause}`);
}
