// COPY, ADD and WORKDIR, and what RUN --mount binds: which files they mean, the digests of those for the keys, and the steps
// themselves. None starts a container: children that are root of the user namespace read and write (copy/files.ts).

import { digestOf, hexOf, isDigest, type Digest } from '../../core/digest.ts';
import { EngineError } from '../../core/errors.ts';
import { sha256OfText } from '../../core/sha256.ts';
import { isObject } from '../../core/json.ts';
import { showPath } from '../../image/layer/entry.ts';
import { resolveUser } from '../../runtime/users.ts';
import { hasCached, readCached, writeCached } from '../../store/build-cache.ts';
import { resolveChown } from '../context/chown.ts';
import { describeChange, fingerprintsOf, type Fingerprints } from '../context/changes.ts';
import { openContext, type BuildContext } from '../context/context.ts';
import { withoutCredentials } from '../context/credentials.ts';
import type { CopyRequest, SelectedSource, Selection } from '../context/types.ts';
import { copyInto, readAsRoot, selectFromLayers, type CopyParts } from '../copy/files.ts';
import type { CopySource } from '../copy/requests.ts';
import type { ContentNotes } from '../cache-transfer/contents.ts';
import type { Mount } from '../dockerfile/ast.ts';
import { isRunAgain, type FilesVertex, type Origin, type Vertex, type WorkdirVertex } from '../graph.ts';
import { treesOf } from '../layer-store.ts';
import type { BuildIds, BuildParts } from '../parts.ts';
import { readAccounts } from '../run/step.ts';
import { storedLayers } from '../snapshot.ts';
import type { Lookup } from '../solve.ts';
import type { KeyPart } from '../step-key.ts';
import type { WorkDir } from '../work.ts';
import { FIXED_TIME_SEC } from '../times.ts';
import type { StepPlace } from '../world.ts';
import { bindRequest, ownedBy, requestOf, type CopyJob, type FoundFiles } from './copy-job.ts';
import { RemoteFiles } from './remote.ts';
import { groupsOf, type SourceGroup } from './source-groups.ts';

/** A directory to take files from. */
export interface ContextDir {
  /** Host path. */
  path: string;
  /** Host path of the Dockerfile, whose own ignore file goes first; undefined: it has none. */
  dockerfile: string | undefined;
  /** --ignorefile */
  ignoreFile: string | undefined;
  /** It came from elsewhere, and its links may point anywhere. */
  isForeign?: boolean;
}

export interface FileStepsOptions {
  parts: BuildParts;
  ids: BuildIds;
  work: WorkDir;
  /** By name; '' is the context. Undefined: there is none (a Dockerfile from stdin or a URL). */
  context: (name: string) => ContextDir | undefined;
  contents: ContentNotes;
  /** Where digests of the context's files are remembered. */
  statFile: string;
  keepTimes: boolean;
  /** Around each look at a context. */
  timed: (name: string, context: BuildContext, request: CopyRequest) => Promise<Selection>;
}

/** The content of an empty directory: makes the place it goes to. */
const EMPTY_DIR: SelectedSource = { name: '', kind: 'dir', files: [] };

/** More names are not written down: what changed is then said in general. */
const MAX_NOTED_FILES = 200_000;

export class FileSteps {
  readonly #options: FileStepsOptions;
  readonly #contexts = new Map<string, BuildContext>();
  /** Of contexts, by their request: what was hashed is what is copied. */
  readonly #selections = new Map<string, Promise<Selection>>();
  /** Of stages and images, by their request. */
  readonly #fromVertices = new Map<Vertex, Map<string, Promise<FoundFiles>>>();
  readonly #remote: RemoteFiles;

  constructor(options: FileStepsOptions) {
    this.#options = options;
    this.#remote = new RemoteFiles(options.parts, options.work);
  }

  async partsOf(vertex: FilesVertex, of: Lookup): Promise<KeyPart[]> {
    const { isAdd, heredocs, destination, chown, chmod, parents, exclude } = vertex;
    const sources = vertex.sources.map(withoutCredentials);
    const instruction = [isAdd ? 'ADD' : 'COPY', sources, destination, parents, exclude, vertex.unpack];
    const set = (name: string, value: string | undefined): KeyPart[] =>
      value === undefined ? [] : [{ name, value }];
    const groups = groupsOf(vertex);
    return [
      { name: 'instruction', value: JSON.stringify(instruction) },
      ...set('--chown', chown),
      ...set('--chmod', chmod),
      ...heredocs.map(({ name, content }) => ({ name: `<<${name}`, value: digestOf(content) })),
      ...(await Promise.all(groups.map((group) => this.#groupPart(vertex, group, of)))),
    ];
  }

  async #groupPart(vertex: FilesVertex, { sources, remote }: SourceGroup, of: Lookup): Promise<KeyPart> {
    const request = { ...requestOf(vertex), sources };
    if (remote === undefined) return { name: 'files', value: await this.#digest(vertex.origin, request, of) };
    const { part, selection } = await this.#remote.partOf(remote, vertex, request);
    if (selection !== undefined) this.#note(selection);
    return part;
  }

  /** Of everything at `source`, a file or a directory with its content. */
  async digestOf(origin: Origin, source: string, of: Lookup): Promise<Digest> {
    return await this.#digest(origin, bindRequest(source), of);
  }

  async copy(vertex: FilesVertex, of: Lookup, place: StepPlace): Promise<void> {
    const { heredocs, chown, chmod, destination, isAdd } = vertex;
    const owner = chown === undefined ? undefined : resolveChown(chown, () => readAccounts(place.trees()));
    const groups = groupsOf(vertex);
    const doing = `${isAdd ? 'ADD' : 'COPY'} to ${showPath(destination)}`;
    if (groups.length > 1 && !destination.endsWith('/'))
      throw new EngineError(
        'PATH_INVALID',
        `${doing}: several sources need a directory: end the destination with a slash`,
        { exitCode: 1 },
      );
    for (const [i, group] of (groups.length === 0 ? [undefined] : groups).entries()) {
      const found = group === undefined ? undefined : await this.#resolveGroup(vertex, group, of);
      await this.#copyInto(i === 0 ? place : this.#again(place), {
        source: found?.source ?? this.#nothing(),
        sources: (found?.selection.sources ?? []).map((one) => ownedBy(one, owner)),
        inline: i === 0 ? heredocs.map(({ name, content }) => ({ name, content })) : [],
        destination,
        owner,
        chmod,
        // What a URL gives is a file, archive or not.
        unpack: vertex.unpack ?? (isAdd && group?.remote === undefined),
        // Files of a stage or image have times that are the same at every build.
        timeSec: this.#options.keepTimes || vertex.origin.kind === 'vertex' ? undefined : FIXED_TIME_SEC,
        doing,
      });
    }
  }

  async #resolveGroup(
    vertex: FilesVertex,
    { sources, remote }: SourceGroup,
    of: Lookup,
  ): Promise<FoundFiles> {
    const request = { ...requestOf(vertex), sources };
    return remote === undefined
      ? await this.#resolve(vertex.origin, request, of)
      : await this.#remote.select(remote, vertex, request);
  }

  /** overlayfs wants a work directory that no other mount without a sync has had. */
  #again(place: StepPlace): StepPlace {
    const { work } = this.#options;
    return { ...place, work: work.folder('work'), containerDir: work.folder('root') };
  }

  /** The directory and those above it that are missing belong to USER. */
  async makeWorkdir({ path, user }: WorkdirVertex, place: StepPlace): Promise<void> {
    const { containerUid: uid, containerGid: gid } = resolveUser(user, readAccounts(place.trees()));
    await this.#copyInto(place, {
      source: this.#nothing(),
      sources: [EMPTY_DIR],
      inline: [],
      destination: path,
      owner: { uid, gid },
      chmod: undefined,
      unpack: false,
      timeSec: this.#options.keepTimes ? undefined : FIXED_TIME_SEC,
      doing: `WORKDIR ${showPath(path)}`,
    });
  }

  /** A directory or file of the host with what a bind shows: a copy, so that what is ignored stays hidden. */
  async bindSource(
    mount: Mount,
    origin: Origin | undefined,
    of: Lookup,
  ): Promise<{ path: string; isDirectory: boolean }> {
    if (mount.type !== 'bind' || origin === undefined) throw new TypeError('no bind');
    const dir = this.#options.work.folder('bind');
    const { selection, source } = await this.#resolve(origin, bindRequest(mount.source), of);
    const isDirectory = selection.sources[0]?.kind !== 'file';
    await this.#copyToHost(dir, {
      ...{ source, sources: selection.sources, destination: isDirectory ? '/' : '/file' },
      ...{ owner: undefined, chmod: undefined },
    });
    return { path: isDirectory ? dir : `${dir}/file`, isDirectory };
  }

  /** A new directory `name` in a folder of the host's, with owner and mode of a cache, and what its `from` has. */
  async initCache(
    folder: string,
    name: string,
    mount: Mount,
    origin: Origin | undefined,
    of: Lookup,
  ): Promise<void> {
    if (mount.type !== 'cache') return;
    const { uid, gid, mode } = mount;
    const found =
      origin === undefined ? undefined : await this.#resolve(origin, bindRequest(mount.source), of);
    await this.#copyToHost(folder, {
      source: found?.source ?? this.#nothing(),
      sources: found?.selection.sources ?? [EMPTY_DIR],
      destination: `/${name}/`,
      owner: { uid, gid },
      chmod: mode.toString(8).padStart(4, '0'),
    });
  }

  /** "src/a.ts changed": between two digests that this class gave out; undefined when that is not known any more. */
  changeBetween(before: string, after: string): string | undefined {
    const [old, now] = [before, after].map((digest) => this.#noted(digest));
    return old === undefined || now === undefined ? undefined : describeChange(old, now);
  }

  /** Lets go of the contexts, and keeps what was learned of them. */
  close(): void {
    for (const context of this.#contexts.values()) context.close();
    this.#contexts.clear();
  }

  async #digest(origin: Origin, request: CopyRequest, of: Lookup): Promise<Digest> {
    if (origin.kind === 'context') {
      const selection = await this.#fromContext(origin.name, request);
      this.#note(selection);
      return selection.digest;
    }
    // What a stage with that key holds at these places was looked up before: then the stage need not be there.
    const memo = sha256OfText(JSON.stringify([await of.key(origin.vertex), request]));
    const known = isRunAgain(origin.vertex) ? undefined : this.#options.contents.read(memo);
    if (known !== undefined) return known;
    const { selection } = await this.#resolve(origin, request, of);
    this.#note(selection);
    this.#options.contents.write(memo, selection.digest);
    return selection.digest;
  }

  async #resolve(origin: Origin, request: CopyRequest, of: Lookup): Promise<FoundFiles> {
    if (origin.kind === 'context') {
      const selection = await this.#fromContext(origin.name, request);
      return { selection, source: { kind: 'context', path: this.#contextDir(origin.name).path } };
    }
    const { vertex } = origin;
    const known = this.#fromVertices.get(vertex) ?? new Map<string, Promise<FoundFiles>>();
    this.#fromVertices.set(vertex, known);
    const key = JSON.stringify(request);
    let found = known.get(key);
    if (found === undefined) {
      found = this.#fromVertex(vertex, request, of);
      found.catch(() => {});
      known.set(key, found);
    }
    return await found;
  }

  async #fromVertex(vertex: Vertex, request: CopyRequest, of: Lookup): Promise<FoundFiles> {
    const { parts, ids } = this.#options;
    const layers = await storedLayers(await of.snapshot(vertex));
    const trees = await treesOf(parts, layers, ids.idMap);
    if (trees.length === 0) trees.push(this.#options.work.folder('empty'));
    const selection = await selectFromLayers(this.#copyParts(), trees, request, 'reading a stage');
    return { selection, source: { kind: 'layers', trees } };
  }

  /** For what takes no files from anywhere. */
  #nothing(): CopySource {
    return { kind: 'layers', trees: [this.#options.work.folder('empty')] };
  }

  #fromContext(name: string, request: CopyRequest): Promise<Selection> {
    const key = JSON.stringify([name, request]);
    let selection = this.#selections.get(key);
    if (selection === undefined) {
      selection = Promise.resolve().then(() => this.#select(name, request));
      selection.catch(() => {});
      this.#selections.set(key, selection);
    }
    return selection;
  }

  #select(name: string, request: CopyRequest): Promise<Selection> {
    let context = this.#contexts.get(name);
    if (context === undefined) {
      const dir = this.#contextDir(name);
      const { parts, statFile } = this.#options;
      const readFiles = readAsRoot(this.#copyParts(), dir.path);
      // One file of digests has one writer.
      const own = name === '' ? statFile : `${statFile}-${sha256OfText(dir.path)}`;
      context = openContext({ ...dir, statFile: own, readAsRoot: readFiles, signal: parts.signal });
      this.#contexts.set(name, context);
    }
    return this.#options.timed(name, context, request);
  }

  #contextDir(name: string): ContextDir {
    const dir = this.#options.context(name);
    if (dir !== undefined) return dir;
    throw new EngineError('USAGE', 'there is no build context to copy from: the Dockerfile came alone', {
      exitCode: 1,
      hint: 'give a directory: skiff build -f - DIR, or an archive',
    });
  }

  #copyParts(dirs?: readonly number[]): CopyParts {
    const { parts, ids } = this.#options;
    return { idMap: ids.idMap, signal: parts.signal, ...(dirs === undefined ? {} : { dirs }) };
  }

  async #copyInto(place: StepPlace, job: CopyJob): Promise<void> {
    const { sources, inline, doing, ...request } = job;
    const { notes } = await copyInto(
      this.#copyParts(place.lower.dirs),
      {
        rootfs: {
          kind: 'overlay',
          lower: place.lower.lower,
          upper: place.upper,
          work: place.work,
          noDev: false,
        },
        containerDir: place.containerDir,
        setup: [],
        isTemporary: true,
      },
      request,
      { sources, inline },
      doing,
    );
    for (const note of notes) this.#options.parts.log.warn(`${doing}: ${note}`);
  }

  /** Into a folder of the host's: a root of its own, that nothing is merged with. */
  async #copyToHost(
    dir: string,
    { sources, ...request }: Pick<CopyJob, 'source' | 'sources' | 'destination' | 'owner' | 'chmod'>,
  ): Promise<void> {
    await copyInto(
      this.#copyParts(),
      {
        rootfs: { kind: 'bind', path: dir, noDev: false },
        containerDir: this.#options.work.folder('root'),
        setup: [],
      },
      { ...request, unpack: false, timeSec: this.#options.keepTimes ? undefined : FIXED_TIME_SEC },
      { sources, inline: [] },
      'preparing a mount',
    );
  }

  /** Only of what was looked at anew: a digest says what is in the file. */
  #note(selection: Selection): void {
    const { paths, log } = this.#options.parts;
    const key = hexOf(selection.digest);
    const count = selection.sources.reduce((sum, { files }) => sum + files.length, 0);
    if (count > MAX_NOTED_FILES || hasCached(paths, 'files', key)) return;
    try {
      writeCached(paths, 'files', key, fingerprintsOf(selection));
    } catch (error) {
      log.debug(`the files of a step were not noted: ${String(error)}`);
    }
  }

  #noted(digest: string): Fingerprints | undefined {
    if (!isDigest(digest)) return undefined;
    const value = readCached(this.#options.parts.paths, 'files', hexOf(digest));
    return isObject(value) ? (value as Fingerprints) : undefined;
  }
}
