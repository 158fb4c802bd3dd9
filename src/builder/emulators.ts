// Whether everything that has to run can run here, told before anything is built. A step that is in the cache need not.

import type { Log } from '../core/log.ts';
import { formatPlatform } from '../core/platform.ts';
import type { Platform } from '../oci/image.ts';
import { baseOf, inputsOf, stepsBelow, type RunVertex, type Vertex } from './graph.ts';
import { missingHandlers, type Emulation } from './run/emulation.ts';
import type { Lookup, SolveWorld } from './solve.ts';
import { keyOf } from './step-key.ts';

type World = Pick<SolveWorld, 'baseKey' | 'partsOf' | 'findCached' | 'isElsewhere' | 'located'>;

/** @throws HOST_MISSING (exit status 1) at the first RUN that nothing here runs; it names all platforms that lack something */
export async function checkEmulators(
  targets: readonly Vertex[],
  world: World,
  { log, emulationOf }: { log: Log; emulationOf: (platform: Platform) => Promise<Emulation> },
): Promise<void> {
  const known = new Map<string, Emulation>();
  for (const { platform } of runsOf(stepsBelow(...targets)))
    if (!known.has(formatPlatform(platform)))
      known.set(formatPlatform(platform), await emulationOf(platform));
  for (const [platform, emulation] of known)
    if (emulation === 'handler-inside')
      log.warn(
        `the binfmt handler for ${platform} has no flag F: images need its emulator where it says (see /proc/sys/fs/binfmt_misc)`,
      );
  const isMissing = (platform: Platform): boolean => known.get(formatPlatform(platform)) === 'missing';
  if (![...known.values()].includes('missing')) return;
  const steps = await new Forecast(world).stepsToRun(targets);
  const lacking = runsOf(steps).filter(({ platform }) => isMissing(platform));
  const [first] = lacking;
  if (first === undefined) return;
  throw world.located(first.vertex, missingHandlers(lacking.map(({ platform }) => platform)));
}

/** On `FROM scratch` nothing says for which machine the programs are. */
function runsOf(vertices: readonly Vertex[]): { vertex: RunVertex; platform: Platform }[] {
  return vertices.flatMap((vertex) => {
    const platform = baseOf(vertex).image?.platform;
    return vertex.kind === 'run' && platform !== undefined ? [{ vertex, platform }] : [];
  });
}

/** What will be run, as far as keys can be told without making anything. */
class Forecast {
  readonly #world: World;
  readonly #keys = new Map<Vertex, Promise<string | undefined>>();

  constructor(world: World) {
    this.#world = world;
  }

  /** Inputs first; the rest is cached. */
  async stepsToRun(targets: readonly Vertex[]): Promise<Vertex[]> {
    const seen = new Set<Vertex>();
    const steps: Vertex[] = [];
    const visit = async (vertex: Vertex): Promise<void> => {
      if (seen.has(vertex)) return;
      seen.add(vertex);
      if (vertex.kind === 'base' || (!vertex.ignoreCache && (await this.#isCached(vertex)))) return;
      for (const input of inputsOf(vertex)) await visit(input);
      steps.push(vertex);
    };
    for (const target of targets) await visit(target);
    return steps;
  }

  async #isCached(vertex: Vertex): Promise<boolean> {
    const key = await this.#key(vertex);
    return key !== undefined && (this.#world.findCached(key) !== undefined || this.#world.isElsewhere(key));
  }

  #key(vertex: Vertex): Promise<string | undefined> {
    let key = this.#keys.get(vertex);
    if (key === undefined) {
      key = this.#keyNow(vertex);
      this.#keys.set(vertex, key);
    }
    return key;
  }

  async #keyNow(vertex: Vertex): Promise<string | undefined> {
    if (vertex.kind === 'base') return this.#world.baseKey(vertex);
    const parent = await this.#key(vertex.parent);
    if (parent === undefined) return undefined;
    const lookup: Lookup = {
      key: async (other) => (await this.#key(other)) ?? (await notYet()),
      snapshot: notYet,
    };
    try {
      return keyOf([{ name: 'parent', value: parent }, ...(await this.#world.partsOf(vertex, lookup))]);
    } catch {
      return undefined; // it depends on what is still to be made, or building it says what is wrong
    }
  }
}

function notYet(): Promise<never> {
  return Promise.reject(new Error('not made yet'));
}
