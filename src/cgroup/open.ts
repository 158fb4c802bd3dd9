// Makes a group of cgroup v2 ready to have children with controllers: it passes them on, and holds no process itself
// (cgroups(7), "no internal processes"). Whoever is in it, ourselves first, goes into a child beside the containers.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { errnoOf } from '../core/errors.ts';
import type { Opening } from './choose.ts';

const ROUNDS = 10;

/** Those of the wanted controllers that the last directory passes on now. What is passed on already is left alone. */
export function openGroup({ dirs, controllers, move }: Opening): string[] {
  let passedOn: string[] = [];
  for (const dir of dirs) {
    attempt(() => mkdirSync(dir, { recursive: true }));
    const file = `${dir}/cgroup.subtree_control`;
    passedOn = words(file);
    const lacking = controllers.filter((controller) => !passedOn.includes(controller));
    if (lacking.length === 0) continue;
    if (move?.from === dir) moveAll(move.from, move.leaf);
    // One by one: each for itself may be refused.
    for (const controller of lacking) attempt(() => write(file, `+${controller}`));
    passedOn = words(file);
  }
  return controllers.filter((controller) => passedOn.includes(controller));
}

/** Again while new ones come; who may not be moved stays, and the kernel then refuses to pass anything on. */
function moveAll(from: string, leaf: string): void {
  attempt(() => mkdirSync(leaf, { recursive: true }));
  for (let round = 0; round < ROUNDS; round++) {
    const pids = words(`${from}/cgroup.procs`);
    if (pids.length === 0) return;
    for (const pid of pids) attempt(() => write(`${leaf}/cgroup.procs`, pid));
  }
}

function write(path: string, text: string): void {
  writeFileSync(path, text, { flag: 'r+' });
}

/** What came of it is seen by reading. */
function attempt(change: () => void): void {
  try {
    change();
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
  }
}

/** None where it cannot be read. */
function words(path: string): string[] {
  let text = '';
  attempt(() => void (text = readFileSync(path, 'utf8')));
  return text.split(/\s+/).filter((word) => word !== '');
}
