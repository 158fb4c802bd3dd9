// --network: docker's words and podman's. (pure)

import { EngineError } from '../core/errors.ts';

export type NetworkMode =
  | { kind: 'host' }
  | { kind: 'none' }
  | { kind: 'container'; reference: string }
  | { kind: 'path'; path: string }
  /** A namespace of its own, connected by a helper program. `options` as after the colon, split at commas. */
  | { kind: 'private'; helper: 'any' | 'pasta' | 'slirp4netns'; options: string[] };

/** @throws USAGE for anything else: user-defined networks do not exist yet. */
export function parseNetworkMode(text: string): NetworkMode {
  const colon = text.indexOf(':');
  const [word, rest] = colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)];
  switch (word) {
    case 'host':
    case 'none':
      if (rest === '') return { kind: word };
      break;
    case '':
    case 'default':
    case 'bridge':
    case 'private':
      if (rest === '') return { kind: 'private', helper: 'any', options: [] };
      break;
    case 'pasta':
    case 'slirp4netns':
      return { kind: 'private', helper: word, options: rest === '' ? [] : rest.split(',') };
    case 'container':
      if (rest !== '') return { kind: 'container', reference: rest };
      throw new EngineError(
        'USAGE',
        `--network ${JSON.stringify(text)}: expected container:NAME or container:ID`,
      );
    case 'ns':
      if (rest.startsWith('/')) return { kind: 'path', path: rest };
      throw new EngineError('USAGE', `--network ${JSON.stringify(text)}: expected ns:/absolute/path`);
  }
  throw new EngineError('USAGE', `--network ${JSON.stringify(text)}: network not found`, {
    hint: 'known are bridge (the default), pasta[:OPTIONS], slirp4netns[:OPTIONS], host, none, container:NAME and ns:PATH; user-defined networks are not supported yet',
  });
}
