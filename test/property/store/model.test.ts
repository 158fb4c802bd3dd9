// The store against a model: names → images. After every command the store says what the model says; after a collection
// exactly what the model needs is there, and every blob is what its name says.

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { digestOf } from '../../../src/core/digest.ts';
import { removeImage, pruneImages } from '../../../src/image/rm.ts';
import { tagImage } from '../../../src/image/tag.ts';
import { blobFile, imageFile, treeDir, partFile, stageDir } from '../../../src/store/layout.ts';
import { listBlobs } from '../../../src/store/blobs.ts';
import { collectGarbage, sweepLeftovers } from '../../../src/store/gc.ts';
import { findImage, listImages } from '../../../src/store/images.ts';
import { listTrees } from '../../../src/store/layers.ts';
import { chainIdsOf } from '../../../src/store/parse.ts';
import { testStore, type TestStore } from '../../helpers/store.ts';
import { storeImage } from '../../helpers/stored-image.ts';

const NAMES = [
  'docker.io/library/a:1',
  'docker.io/library/a:2',
  'docker.io/library/b:latest',
  'reg.test:5000/x/y:v',
];
const LAYERS = ['l0', 'l1', 'l2', 'l3'];

/** Names → layers; an image is its list of layers. Nameless: images that lost their last name. */
interface Model {
  names: Map<string, string>;
  nameless: Set<string>;
}

type Step =
  | { kind: 'store'; name: string; layers: string[] }
  | { kind: 'tag'; from: string; to: string }
  | { kind: 'remove'; name: string }
  | { kind: 'prune' }
  | { kind: 'forget-record' | 'tear-record'; name: string }
  | { kind: 'litter'; layer: string }
  | { kind: 'collect' };

const name = fc.constantFrom(...NAMES);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('store' as const),
      name,
      layers: fc.array(fc.constantFrom(...LAYERS), { maxLength: 4 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('tag' as const), from: name, to: name }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove' as const), name }) },
  fc.record({ kind: fc.constant('prune' as const) }),
  fc.record({ kind: fc.constantFrom('forget-record' as const, 'tear-record' as const), name }),
  fc.record({ kind: fc.constant('litter' as const), layer: fc.constantFrom(...LAYERS) }),
  fc.record({ kind: fc.constant('collect' as const) }),
);

async function apply(store: TestStore, model: Model, todo: Step): Promise<void> {
  const { paths } = store;
  switch (todo.kind) {
    case 'store': {
      await storeImage(store, { reference: todo.name, layers: todo.layers });
      setName(model, todo.name, todo.layers.join());
      return;
    }
    case 'tag': {
      const image = model.names.get(todo.from);
      const tagging = tagImage(paths, todo.from, [todo.to]);
      if (image === undefined) await expect(tagging).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' });
      else setName(model, todo.to, (await tagging, image));
      return;
    }
    case 'remove': {
      const image = model.names.get(todo.name);
      const removing = removeImage(store, todo.name, { force: false, idMap: undefined });
      if (image === undefined) {
        await expect(removing).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' });
        return;
      }
      await removing;
      model.names.delete(todo.name);
      return;
    }
    case 'prune':
      await pruneImages(store, { all: false, idMap: undefined });
      model.nameless.clear();
      return;
    case 'forget-record':
      rmSync(imageFile(paths, todo.name), { force: true });
      return;
    case 'tear-record':
      if (existsSync(imageFile(paths, todo.name)))
        writeFileSync(imageFile(paths, todo.name), '{"version":1,"ima');
      return;
    case 'litter':
      if (!existsSync(paths.graphRoot + '/oci')) return;
      writeFileSync(partFile(paths, digestOf(todo.layer)), 'half');
      writeFileSync(blobFile(paths, digestOf(`loose ${todo.layer}`)), `loose ${todo.layer}`);
      writeFileSync(`${paths.graphRoot}/oci/.index.json.999999999.1.tmp`, '{');
      mkdirSync(`${stageDir(paths, 'host', digestOf(`stage ${todo.layer}`))}/sub`, { recursive: true });
      return;
    case 'collect':
      if (!existsSync(paths.graphRoot + '/oci')) return;
      await sweepLeftovers(paths, { idMap: undefined, parts: true });
      await collectGarbage(paths, { idMap: undefined });
  }
}

function setName(model: Model, reference: string, image: string): void {
  const before = model.names.get(reference);
  model.names.set(reference, image);
  model.nameless.delete(image);
  if (before !== undefined && ![...model.names.values()].includes(before)) model.nameless.add(before);
}

/** What is kept for these images: layers and chain ids. */
function needed(model: Model) {
  const images = [...new Set([...model.names.values(), ...model.nameless])].map((text) =>
    text === '' ? [] : text.split(','),
  );
  const diffIds = images.map((layers) => layers.map((layer) => digestOf(layer)));
  return {
    images: images.length,
    layers: new Set(diffIds.flat()),
    trees: new Set(diffIds.flatMap((ids) => chainIdsOf(ids))),
  };
}

async function checkStore(store: TestStore, model: Model): Promise<void> {
  const { paths } = store;
  for (const reference of NAMES) {
    const image = findImage(paths, reference);
    expect(image?.layers.map(({ diffId }) => diffId)).toEqual(
      model.names.has(reference)
        ? splitLayers(model.names.get(reference) ?? '').map((layer) => digestOf(layer))
        : undefined,
    );
    for (const { chainId } of image?.layers ?? [])
      expect(existsSync(treeDir(paths, 'host', chainId))).toBe(true);
  }
  const { images, damaged } = listImages(paths);
  expect(damaged).toEqual([]);
  expect(images.filter(({ image }) => image.reference === '')).toHaveLength(model.nameless.size);
}

function splitLayers(text: string): string[] {
  return text === '' ? [] : text.split(',');
}

describe('the store', () => {
  test('behaves as its model', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 14 }), async (steps) => {
        const store = testStore();
        const model: Model = { names: new Map(), nameless: new Set() };
        try {
          for (const todo of steps) {
            await apply(store, model, todo);
            await checkStore(store, model);
          }
          if (!existsSync(`${store.paths.graphRoot}/oci`)) return;
          await sweepLeftovers(store.paths, { idMap: undefined, parts: true });
          await collectGarbage(store.paths, { idMap: undefined });
          await checkStore(store, model);
          const need = needed(model);
          const blobs = listBlobs(store.paths);
          for (const digest of blobs)
            expect(digestOf(readFileSync(blobFile(store.paths, digest)))).toBe(digest);
          // Each image has a manifest and a config besides its layers.
          expect(blobs).toHaveLength(need.layers.size + 2 * need.images);
          expect(new Set(listTrees(store.paths, 'host'))).toEqual(need.trees);
          expect(store.leftovers()).toEqual([]);
        } finally {
          store.remove();
        }
      }),
      { numRuns: 60 },
    );
  });
});
