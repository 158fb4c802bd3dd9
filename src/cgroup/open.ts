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
    mkdirSync(dir, { recursive: true });
    const file = `${dir}/cgroup.subtree_control`;
    const lacking = controllers.filter((controller) => !words(file).includes(controller));
    if (lacking.length > 0 && move?.from === dir) moveAll(move.from, move.leaf);
    for (const controller of lacking) enable(file, controller);
    passedOn = words(file);
  }
  return controllers.filter((controller) => passedOn.includes(controller));
}

/** Again while new ones come; who may not be moved stays, and the kernel then refuses to pass anything on. */
function moveAll(from: string, leaf: string): void {
  mkdirSync(leaf, { recursive: true });
  for (let round = 0; round < ROUNDS; round++) {
    const pids = words(`${from}/cgroup.procs`);
    if (pids.length === 0) return;
    for (const pid of pids) tryWrite(`${leaf}/cgroup.procs`, pid);
  }
}

function enable(file: string, controller: string): void {
  tryWrite(file, `+${controller}`);
}

function tryWrite(path: string, text: string): void {
  try {
    writeFileSync(path, text, { flag: 'r+' });
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
  }
}

function words(path: string): string[] {
  return readFileSync(path, 'utf8')
    .split(/\s+/)
    .filter((word) => word !== '');
}
