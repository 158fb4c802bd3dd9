// Ids and names of containers. (pure but for randomness) 64 hex digits; a name as docker allows it; two random words.

import { EngineError } from '../core/errors.ts';
import type { ContainerId } from '../runtime/spec.ts';

const ID = /^[0-9a-f]{64}$/;

export function isContainerId(text: string): text is ContainerId {
  return ID.test(text);
}

/** globalThis.crypto is there at once; node:crypto would have to be loaded. */
export function randomContainerId(): ContainerId {
  const bytes = globalThis.crypto.getRandomValues(new Uint8Array(32));
  return Buffer.from(bytes.buffer).toString('hex') as ContainerId;
}

/** @throws USAGE in docker's words */
export function checkName(name: string): string {
  const bare = name.replace(/^\//, '');
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(bare) && bare.length <= 255) return bare;
  throw new EngineError(
    'USAGE',
    `--name ${JSON.stringify(name)}: invalid container name, only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`,
  );
}

const FIRST = (
  'able agile amber apt azure bold brave breezy bright brisk calm candid cheery civil clear clever coral cosy crisp deft ' +
  'eager early easy fair fleet fond free fresh gentle glad golden grand happy hardy honest humble ideal jolly keen kind ' +
  'light lively loyal lucid lucky mellow merry mild neat nimble noble patient placid plucky proud quick quiet rapid ready ' +
  'robust rosy royal serene sharp silver sincere smart snug sound spry steady stoic sunny sure swift tidy upbeat vivid warm wise witty'
).split(' ');

const SECOND = (
  'anchor bark barge bay beacon bight boom bosun bow brig buoy cabin canoe canvas cape captain catboat chart clipper coast ' +
  'compass coral cove coxswain crew current cutter deck delta dhow dinghy dock dory estuary ferry fjord flag fleet galley ' +
  'gale gull gunwale halyard harbor hatch haven helm hull inlet islet jetty jib junk kayak keel ketch kite knot lagoon ' +
  'lantern lateen ledger lighter lugger mast mate mooring oar packet paddle pier pilot pinnace port prow punt quay raft reef ' +
  'rigging rudder sail schooner sculler sextant shoal skipper sloop sound spar spray stern strait surf tack tide tiller wake wave wharf whaler yawl'
).split(' ');

/** For example `brave_sloop`; `attempt` > 0 appends a number, since two of them may collide. */
export function randomName(attempt: number): string {
  const [a, b, c] = globalThis.crypto.getRandomValues(new Uint32Array(3)) as unknown as [
    number,
    number,
    number,
  ];
  const name = `${FIRST[a % FIRST.length]}_${SECOND[b % SECOND.length]}`;
  return attempt === 0 ? name : `${name}${c % 10_000}`;
}
