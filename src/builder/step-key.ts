// The content key of a step (pure): named parts, hashed. The names are what a miss is explained by later, so they are words
// for the user. No part holds a time, or a path of this host.

import { sha256OfText } from '../core/sha256.ts';

export interface KeyPart {
  /** "instruction", "ARG VERSION", "files" */
  name: string;
  value: string;
}

/** Equal parts in the same order give the same key: 64 hex digits. */
export function keyOf(parts: readonly KeyPart[]): string {
  return sha256OfText(JSON.stringify(parts.map(({ name, value }) => [name, value])));
}

/** What a step was made of, as the last build of the same target noted it. */
export interface NotedStep {
  stage: string;
  /** Of the instruction within its stage, from 0. */
  position: number;
  parts: KeyPart[];
}

/** Parts whose value says nothing to a reader. */
const PARENT = 'parent';

/**
 * Why a step misses, next to what it was when it was last there. Undefined: it never was.
 * changeOf: what differs between two content digests, in words, where that is still known
 */
export function explainMiss(
  step: NotedStep,
  previous: readonly NotedStep[],
  changeOf: (before: string, after: string) => string | undefined,
): string | undefined {
  const inStage = previous.filter(({ stage }) => stage === step.stage);
  const instruction = valueOf(step, 'instruction');
  const before =
    inStage.find(
      (other) => other.position === step.position && valueOf(other, 'instruction') === instruction,
    ) ?? inStage.find((other) => valueOf(other, 'instruction') === instruction);
  if (before === undefined) {
    const there = inStage.some(({ position }) => position === step.position);
    return there ? 'instruction changed' : undefined;
  }
  const reasons = changesOf(before, step, changeOf);
  if (reasons.length > 0) return reasons.join(', ');
  // What comes after a changed step is run again as well: said only where nothing nearer explains it.
  const same = valueOf(before, PARENT) === valueOf(step, PARENT);
  return same ? 'its result is no longer in the cache' : 'an earlier step changed';
}

function changesOf(
  before: NotedStep,
  after: NotedStep,
  changeOf: (before: string, after: string) => string | undefined,
): string[] {
  const names = [...new Set([...before.parts, ...after.parts].map(({ name }) => name))];
  return names.flatMap((name) => {
    const [old, now] = [valueOf(before, name), valueOf(after, name)];
    if (name === PARENT || old === now) return [];
    if (old === undefined) return [`${name} is new`];
    if (now === undefined) return [`${name} is gone`];
    return [(name.startsWith('files') ? changeOf(old, now) : undefined) ?? `${name} changed`];
  });
}

function valueOf({ parts }: NotedStep, name: string): string | undefined {
  return parts.find((part) => part.name === name)?.value;
}
