// Writing to the store's event log, which `skiff events` shows: one line an event, in one write(2), without a lock, by
// whoever does or sees what happened. An event that cannot be written is lost and fails nothing. docs/decisions/0019.

import { encodeBytes } from '../core/bytes.ts';
import { addon } from '../native/addon.ts';
import { isStore } from './init.ts';
import { eventLogFile, type StoreRoot } from './layout.ts';

/** docker's actor: what something happens to. */
export interface EventSubject {
  type: 'container' | 'image' | 'volume';
  id: string;
  attributes: Readonly<Record<string, string>>;
}

/** The subject as members of a JSON object, as the log has them; the helper puts the same behind what it sees. (pure) */
export function subjectText({ type, id, attributes }: EventSubject): string {
  return `"type":"${type}","id":${JSON.stringify(id)},"attributes":${JSON.stringify(attributes)}`;
}

/**
 * Logs that `action` (docker's word) happens now. `details` are further attributes; as in docker, one of the subject's own
 * with the same name hides them.
 */
export function logEvent(
  root: StoreRoot,
  subject: EventSubject,
  action: string,
  details?: Readonly<Record<string, string>>,
): void {
  const more = details === undefined ? '' : `"with":${JSON.stringify(details)},`;
  const members = `"action":${JSON.stringify(action)},${more}${subjectText(subject)}`;
  addon().appendEvent(encodeBytes(eventLogFile(root)), Buffer.from(members));
}

/** Of a store that is there: `bytes` were freed by removing all of a kind that nobody used. */
export function logPrune(root: StoreRoot, type: EventSubject['type'], bytes: number): void {
  if (isStore(root)) logEvent(root, { type, id: '', attributes: { reclaimed: String(bytes) } }, 'prune');
}
