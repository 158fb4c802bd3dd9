// The build as a graph of steps that make file systems. What only changes the configuration is no vertex. Vertices know
// nothing of the store: solve.ts gives them keys and results.

import type { ResolvedImage } from '../store/images.ts';
import type { Heredoc, Mount, SourceRange } from './dockerfile/ast.ts';

export type Vertex = BaseVertex | StepVertex;
export type StepVertex = RunVertex | FilesVertex | WorkdirVertex;

/** Where a step takes files from. */
export type Origin =
  | { kind: 'vertex'; vertex: Vertex }
  /** A directory of the host: the context, or a named one. */
  | { kind: 'context'; name: string };

interface Common {
  /** "[build 2/5] RUN make" */
  name: string;
  /** Name of the stage, or its number; of a base, the first that asks for it. */
  stage: string;
}

/** An image, or nothing at all. */
export interface BaseVertex extends Common {
  kind: 'base';
  image: ResolvedImage | undefined;
}

interface StepCommon extends Common {
  parent: Vertex;
  /** The number of the instruction in the stage. */
  position: number;
  range: SourceRange;
  /** --no-cache, or --no-cache-filter of its stage. */
  ignoreCache: boolean;
}

export interface RunVertex extends StepCommon {
  kind: 'run';
  args: string[];
  /** ENVs, and ARGs that have a value: the command sees both. */
  env: readonly string[];
  /** Names of the ARGs. */
  buildArgs: ReadonlySet<string>;
  /** Proxies: seen by the command, and part of nothing. */
  hiddenEnv: readonly string[];
  /** The program of SHELL. */
  shell: string | undefined;
  user: string;
  cwd: string;
  mounts: readonly RunMount[];
  /** A script with a #! line of its own. */
  script: { path: string; content: string } | undefined;
  network: 'default' | 'none' | 'host';
  insecure: boolean;
}

export interface RunMount {
  mount: Mount;
  /** Of bind and of cache with `from`. */
  origin: Origin | undefined;
}

export interface FilesVertex extends StepCommon {
  kind: 'files';
  isAdd: boolean;
  origin: Origin;
  sources: readonly string[];
  /** Contents are final. */
  heredocs: readonly Heredoc[];
  /** Absolute; a slash at the end says that it is a directory. */
  destination: string;
  chown: string | undefined;
  chmod: string | undefined;
  parents: boolean;
  exclude: readonly string[];
  checksum: string | undefined;
  keepGitDir: boolean;
  unpack: boolean | undefined;
}

export interface WorkdirVertex extends StepCommon {
  kind: 'workdir';
  path: string;
  user: string;
}

/** What the targets need, inputs first, each once. */
export function stepsBelow(...targets: Vertex[]): StepVertex[] {
  const seen = new Set<Vertex>();
  const steps: StepVertex[] = [];
  const visit = (vertex: Vertex): void => {
    if (seen.has(vertex)) return;
    seen.add(vertex);
    inputsOf(vertex).forEach(visit);
    if (vertex.kind !== 'base') steps.push(vertex);
  };
  targets.forEach(visit);
  return steps;
}

/** Whether something of what makes `vertex` is run even where its result is known: then it may be another one. */
export function isRunAgain(vertex: Vertex): boolean {
  return stepsBelow(vertex).some(({ ignoreCache }) => ignoreCache);
}

/** Everything a vertex needs the file system of. */
export function inputsOf(vertex: Vertex): Vertex[] {
  if (vertex.kind === 'base') return [];
  return [
    vertex.parent,
    ...originsOf(vertex).flatMap((origin) => (origin.kind === 'vertex' ? [origin.vertex] : [])),
  ];
}

/** What a stage stands on. */
export function baseOf(vertex: Vertex): BaseVertex {
  let below = vertex;
  while (below.kind !== 'base') below = below.parent;
  return below;
}

export function originsOf(vertex: StepVertex): Origin[] {
  if (vertex.kind === 'files') return [vertex.origin];
  if (vertex.kind === 'workdir') return [];
  return vertex.mounts.flatMap(({ origin }) => (origin === undefined ? [] : [origin]));
}
