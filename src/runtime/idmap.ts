// Which ids exist in the container and who they are on the host: user_namespaces(7), subuid(5), newuidmap(1).
// (pure) Reading the host's files is idmap-input.ts. A rootless container gets container root = the caller and all of
// the caller's subordinate ids above it; without such ids, a single id; root uses no user namespace unless asked.

import { EngineError } from '../core/errors.ts';
import { HOST_MAP_KEY, mapKeyOf } from '../store/layout.ts';
import type { IdMap, IdMapping, UserNamespace } from '../native/plan.ts';

/** Half-open range of host ids from /etc/subuid or /etc/subgid. */
export interface SubIdRange {
  start: number;
  size: number;
}

export interface IdMapInput {
  hostUid: number;
  hostGid: number;
  /** Login name of the caller when it is known: subordinate ids may be listed under it or under the number. */
  userName: string | undefined;
  /** Contents of /etc/subuid and /etc/subgid; '' when missing. */
  subuid: string;
  subgid: string;
  /** newuidmap and newgidmap are in PATH and look able to work (see idmap-input.ts). */
  hasNewidmap: boolean;
  /** --userns: undefined or '' for the default. */
  userns: string | undefined;
}

export interface IdMapChoice {
  user: UserNamespace;
  /** undefined: the host's ids, no user namespace. */
  idMap: IdMap | undefined;
  /** Folder of the layer trees that fit this map. */
  mapKey: string;
  /** keep-id: whom the container's process is unless --user says otherwise. */
  defaultUser: { uid: number; gid: number } | undefined;
  /** One line each for stderr. */
  notes: string[];
}

const MAX_ID = 0xffff_fffe;

/**
 * @throws USAGE for a --userns we do not know or ids that cannot be kept.
 */
export function chooseIdMap(input: IdMapInput): IdMapChoice {
  const mode = parseUserns(input.userns);
  if (mode.kind === 'host' || (mode.kind === 'default' && input.hostUid === 0)) {
    if (input.hostUid === 0)
      return {
        user: { kind: 'host' },
        idMap: undefined,
        mapKey: HOST_MAP_KEY,
        defaultUser: undefined,
        notes: [],
      };
    // An ordinary user has no right to mount in the host's user namespace: container root = the caller is the nearest.
    const choice = rootMap(input);
    return { ...choice, notes: [...choice.notes, HOST_USERNS_NOTE] };
  }
  if (input.hostUid === 0) {
    throw new EngineError(
      'USAGE',
      `--userns ${JSON.stringify(input.userns)}: root's containers use the host's ids`,
      {
        hint: 'run skiff as an ordinary user to get a user namespace',
      },
    );
  }
  if (mode.kind === 'keep-id') return keepId(input, mode);
  return rootMap(input);
}

const HOST_USERNS_NOTE =
  '--userns host: an ordinary user cannot mount without a user namespace: container root is you, as with the default';

type UsernsMode =
  | { kind: 'default' }
  | { kind: 'private' }
  | { kind: 'host' }
  | { kind: 'keep-id'; uid: number | undefined; gid: number | undefined };

function parseUserns(text: string | undefined): UsernsMode {
  if (text === undefined || text === '') return { kind: 'default' };
  if (text === 'private') return { kind: 'private' };
  if (text === 'host') return { kind: 'host' };
  const [kind, options] = text.split(/:(.*)/s) as [string, string | undefined];
  if (kind !== 'keep-id') {
    throw new EngineError(
      'USAGE',
      `--userns ${JSON.stringify(text)}: expected host, private or keep-id[:uid=N,gid=N]`,
    );
  }
  const mode: UsernsMode = { kind: 'keep-id', uid: undefined, gid: undefined };
  for (const option of options === undefined || options === '' ? [] : options.split(',')) {
    const match = /^(uid|gid)=(\d{1,10})$/.exec(option);
    if (match === null || Number(match[2]) > MAX_ID) {
      throw new EngineError(
        'USAGE',
        `--userns ${JSON.stringify(text)}: ${JSON.stringify(option)} is not uid=N or gid=N`,
      );
    }
    mode[match[1] as 'uid' | 'gid'] = Number(match[2]);
  }
  return mode;
}

/** Container root is the caller; everything above it comes from the subordinate ranges in their order. */
function rootMap(input: IdMapInput): IdMapChoice {
  const ranges = usableRanges(input);
  if (ranges === undefined) return singleId(input, 0, 0);
  const map = {
    uid: stack([{ start: input.hostUid, size: 1 }, ...ranges.uid]),
    gid: stack([{ start: input.hostGid, size: 1 }, ...ranges.gid]),
  };
  return {
    user: { kind: 'new', map, via: 'newidmap' },
    idMap: map,
    mapKey: mapKeyOf(map),
    defaultUser: undefined,
    notes: [],
  };
}

/** podman-run(1) --userns=keep-id: the caller keeps its own number inside; the subordinate ids fill the rest. */
function keepId(input: IdMapInput, mode: { uid: number | undefined; gid: number | undefined }): IdMapChoice {
  const uid = mode.uid ?? input.hostUid;
  const gid = mode.gid ?? input.hostGid;
  const defaultUser = { uid, gid };
  const ranges = usableRanges(input);
  if (ranges === undefined) return { ...singleId(input, uid, gid), defaultUser };
  if (input.hostUid === 0) {
    throw new EngineError(
      'USAGE',
      "--userns keep-id: root has nothing to keep: the ids are the host's already",
    );
  }
  const map = {
    uid: around(ranges.uid, uid, input.hostUid, '/etc/subuid'),
    gid: around(ranges.gid, gid, input.hostGid, '/etc/subgid'),
  };
  return {
    user: { kind: 'new', map, via: 'newidmap' },
    idMap: map,
    mapKey: mapKeyOf(map),
    defaultUser,
    notes: [],
  };
}

function singleId(input: IdMapInput, uid: number, gid: number): IdMapChoice {
  const map = {
    uid: [{ containerID: uid, hostID: input.hostUid, size: 1 }],
    gid: [{ containerID: gid, hostID: input.hostGid, size: 1 }],
  };
  return {
    user: { kind: 'new', map, via: 'self' },
    idMap: map,
    mapKey: mapKeyOf(map),
    defaultUser: undefined,
    notes: [singleIdNote(input)],
  };
}

function singleIdNote(input: IdMapInput): string {
  const who = input.userName ?? String(input.hostUid);
  if (!hasBothRanges(input)) {
    const start = freeRangeStart(input);
    const range = `${start}-${start + RANGE_SIZE - 1}`;
    return (
      `no subordinate ids for user ${who}: running with a single uid; fix: ` +
      (input.userName === undefined
        ? `echo ${who}:${start}:${RANGE_SIZE} | sudo tee -a /etc/subuid /etc/subgid`
        : `sudo usermod --add-subuids ${range} --add-subgids ${range} ${who}`)
    );
  }
  return (
    'newuidmap and newgidmap are missing or lost their setuid bit: running with a single uid; ' +
    'fix: sudo apt-get install --reinstall uidmap (package shadow-utils elsewhere)'
  );
}

const RANGE_SIZE = 65_536;

/** Lowest id from 100000 (useradd's SUB_UID_MIN) that begins 65536 ids which neither file gives to anybody. */
export function freeRangeStart({ subuid, subgid }: Pick<IdMapInput, 'subuid' | 'subgid'>): number {
  const taken = parseSubIds(subuid, () => true, true).concat(parseSubIds(subgid, () => true, true));
  const isFree = (start: number): boolean =>
    taken.every((range) => start >= range.start + range.size || range.start >= start + RANGE_SIZE);
  const starts = [100_000, ...taken.map(({ start, size }) => start + size)].filter((id) => id >= 100_000);
  return starts.sort((a, b) => a - b).find(isFree) ?? 100_000;
}

function hasBothRanges(input: IdMapInput): boolean {
  return rangesOf(input.subuid, input).length > 0 && rangesOf(input.subgid, input).length > 0;
}

function usableRanges(input: IdMapInput): { uid: SubIdRange[]; gid: SubIdRange[] } | undefined {
  if (!input.hasNewidmap || !hasBothRanges(input)) return undefined;
  return { uid: rangesOf(input.subuid, input), gid: rangesOf(input.subgid, input) };
}

function rangesOf(text: string, { userName, hostUid }: IdMapInput): SubIdRange[] {
  return parseSubIds(
    text,
    (owner) => owner === String(hostUid) || (userName !== undefined && owner === userName),
  );
}

/**
 * subuid(5): `owner:start:count`. Lines of others, malformed lines and ranges beyond 32 bits are skipped, as newuidmap does;
 * a range that overlaps an earlier one too, unless asked for.
 */
export function parseSubIds(
  text: string,
  isOwner: (owner: string) => boolean,
  overlapping = false,
): SubIdRange[] {
  const ranges: SubIdRange[] = [];
  for (const line of text.split('\n')) {
    const match = /^([^:#]+):(\d{1,10}):(\d{1,10})\s*$/.exec(line);
    if (match === null || !isOwner(match[1] as string)) continue;
    const start = Number(match[2]);
    const size = Number(match[3]);
    if (size === 0 || start === 0 || start + size - 1 > MAX_ID) continue;
    if (
      !overlapping &&
      ranges.some((other) => start < other.start + other.size && other.start < start + size)
    )
      continue;
    ranges.push({ start, size });
  }
  return ranges;
}

/** Host ranges one after the other from container id 0. */
function stack(ranges: readonly SubIdRange[]): IdMapping[] {
  const map: IdMapping[] = [];
  let containerID = 0;
  for (const { start, size } of ranges) {
    const last = map.at(-1);
    if (last !== undefined && last.hostID + last.size === start) last.size += size;
    else map.push({ containerID, hostID: start, size });
    containerID += size;
  }
  return map;
}

/** Container ids 0… from `ranges`, except that `kept` is `own`; ids after it go on where the ranges stopped. */
function around(ranges: readonly SubIdRange[], kept: number, own: number, file: string): IdMapping[] {
  const map: IdMapping[] = [];
  let containerID = 0;
  for (const range of ranges) {
    let { start, size } = range;
    if (containerID < kept && containerID + size >= kept) {
      const before = kept - containerID;
      map.push({ containerID, hostID: start, size: before });
      start += before;
      size -= before;
      containerID = kept;
    }
    if (containerID === kept) {
      map.push({ containerID: kept, hostID: own, size: 1 });
      containerID++;
    }
    if (size > 0) map.push({ containerID, hostID: start, size });
    containerID += size;
  }
  if (containerID <= kept) {
    throw new EngineError(
      'USAGE',
      `--userns keep-id: id ${kept} lies beyond the ${containerID} subordinate ids in ${file}`,
      {
        hint: 'choose smaller ids with --userns keep-id:uid=N,gid=N, or add a range with usermod --add-subuids',
      },
    );
  }
  return map;
}
