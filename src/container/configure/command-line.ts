// ENTRYPOINT, CMD, --entrypoint and the words after the image: what the container runs. (pure) docker's rules.

import { EngineError } from '../../core/errors.ts';
import type { ImageConfigSection } from '../../oci/image.ts';

export interface CommandLine {
  entrypoint: string[] | null;
  cmd: string[] | null;
  /** Both joined; at least one. */
  args: string[];
}

/**
 * --entrypoint replaces the image's ENTRYPOINT and drops its CMD; `--entrypoint ""` leaves just the words of the command
 * line. A JSON array is taken apart, as podman does. @throws USAGE when nothing is left to run
 */
export function mergeCommand(
  image: Pick<ImageConfigSection, 'Entrypoint' | 'Cmd'>,
  entrypointFlag: string | undefined,
  words: readonly string[],
  what: string,
): CommandLine {
  const entrypoint =
    entrypointFlag === undefined ? nonEmpty(image.Entrypoint) : parseEntrypoint(entrypointFlag);
  const cmd = words.length > 0 ? [...words] : entrypointFlag === undefined ? nonEmpty(image.Cmd) : null;
  const args = [...(entrypoint ?? []), ...(cmd ?? [])];
  if (args.length === 0) {
    throw new EngineError('USAGE', `running ${JSON.stringify(what)}: no command specified`, {
      hint: 'the image names none: add one after the image',
    });
  }
  return { entrypoint, cmd, args };
}

function nonEmpty(list: readonly string[] | null | undefined): string[] | null {
  return list === undefined || list === null || list.length === 0 ? null : [...list];
}

function parseEntrypoint(text: string): string[] | null {
  if (text === '') return null;
  if (text.startsWith('[')) {
    try {
      const list: unknown = JSON.parse(text);
      if (Array.isArray(list) && list.every((item) => typeof item === 'string')) return nonEmpty(list);
    } catch {
      // A program whose name begins with a bracket, then.
    }
  }
  return [text];
}
