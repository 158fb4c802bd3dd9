// `history`: how an image came to be, newest step first, as its config tells it. Steps that left no layer have no size.

import type { Paths } from '../core/paths.ts';
import { getBlob } from '../store/blobs.ts';
import { readTreeInfo } from '../store/layers.ts';
import { nameOf } from '../store/index-file.ts';
import { idOf, listImages, type ResolvedImage, type ResolvedLayer } from '../store/images.ts';
import { parseConfigAlone } from '../store/parse.ts';
import { getImage } from './get.ts';
import { displayReference } from './names.ts';

export interface HistoryStep {
  /** The image's id at its last step; an image that is built elsewhere brings no ids for the others. */
  id: string;
  /** NaN: the image does not say. */
  createdMs: number;
  createdBy: string;
  comment: string;
  sizeBytes: number;
  /** Names of the image, at its last step. */
  tags: string[];
}

/** @throws IMAGE_NOT_FOUND, STORE_INVALID */
export function imageHistory(paths: Paths, text: string): HistoryStep[] {
  const image = getImage(paths, text);
  const config = parseConfigAlone(getBlob(paths, image.imageId), `the config of "${text}"`);
  const tags = listImages(paths)
    .images.filter((one) => idOf(one.image) === idOf(image))
    .flatMap((one) => nameOf(one.entry) ?? [])
    .map(displayReference);
  const sizeOf = ({ chainId, blob }: ResolvedLayer): number =>
    readTreeInfo(paths, chainId)?.sizeBytes ?? blob.size;
  return historySteps(image, config.history ?? [], sizeOf).map((step, i) =>
    i === 0 ? { ...step, tags } : step,
  );
}

/**
 * (pure) Layers that the history forgot, as of a plain archive, are steps without words.
 * history: an image may say anything in it
 */
export function historySteps(
  { imageId, layers, created }: Pick<ResolvedImage, 'imageId' | 'layers' | 'created'>,
  history: readonly unknown[],
  sizeOf: (layer: ResolvedLayer) => number,
): HistoryStep[] {
  const createdAlone: Readonly<Record<string, unknown>> = { created };
  const left = [...layers];
  const told = history.map((value) => {
    const entry = (value ?? {}) as Readonly<Record<string, unknown>>;
    return { entry, layer: entry['empty_layer'] === true ? undefined : left.shift() };
  });
  const untold = left.map((layer) => ({ entry: createdAlone, layer }));
  const steps = [...told, ...untold].map(({ entry, layer }) => ({
    id: '<missing>',
    createdMs: Date.parse(line(entry['created'])),
    createdBy: line(entry['created_by']),
    comment: line(entry['comment']),
    sizeBytes: layer === undefined ? 0 : sizeOf(layer),
    tags: [],
  }));
  return steps.reverse().map((step, i) => (i === 0 ? { ...step, id: imageId } : step));
}

/** One line of text, whatever is there. */
function line(value: unknown): string {
  return typeof value === 'string' ? value.replace(/\p{Cc}+/gu, ' ') : '';
}
