import { describe, expect, test } from 'vitest';
import {
  encodeDocument,
  parseDocument,
  type CacheDocument,
  type TransferredLayer,
} from '../../../../src/builder/cache-transfer/document.ts';
import { digestOf } from '../../../../src/core/digest.ts';
import { sha256OfText } from '../../../../src/core/sha256.ts';
import { MEDIA_TYPE } from '../../../../src/oci/image.ts';

function layer(name: string): TransferredLayer {
  const digest = digestOf(`blob of ${name}`);
  return { diffId: digestOf(name), blob: { mediaType: MEDIA_TYPE.layerGzip, digest, size: 5 } };
}

const key = sha256OfText;
const [a, b, mounted] = [layer('a'), layer('b'), layer('m')];
const layers = [a, b, mounted];
const blobs = layers.map(({ blob }) => blob);
const DOCUMENT: CacheDocument = {
  steps: new Map([
    [key('2'), { layers: [a, b], made: [true, false, true], sizeBytes: 3 }],
    [key('1'), { layers: [a], made: [true], sizeBytes: 2 }],
  ]),
  contents: new Map([[key('c'), digestOf('c')]]),
  mounts: [{ id: '/m', uid: 1, gid: 2, mode: 0o755, layer: mounted }],
};

test('what was written is read', () => {
  expect(parseDocument(encodeDocument(DOCUMENT, layers), blobs, 'it')).toEqual(DOCUMENT);
});

test('equal content has equal bytes, in whatever order it was found', () => {
  const turned = { ...DOCUMENT, steps: new Map([...DOCUMENT.steps].reverse()) };
  expect(encodeDocument(turned, layers)).toEqual(encodeDocument(DOCUMENT, layers));
});

test('nothing of a blob but what names it is taken over', () => {
  const urls = blobs.map((blob) => ({ ...blob, urls: ['http://169.254.169.254/'], data: 'x' }));
  expect(parseDocument(encodeDocument(DOCUMENT, layers), urls, 'it')).toEqual(DOCUMENT);
});

describe('refused', () => {
  const good = JSON.parse(encodeDocument(DOCUMENT, layers).toString()) as Record<string, unknown>;
  const step = { layers: [0], made: [true], sizeBytes: 1 };
  const mount = { id: 'x', uid: 0, gid: 0, mode: 0o755, layer: 0 };
  const ROWS: [string, object][] = [
    ['another version', { version: 2 }],
    ['no version', { version: undefined }],
    ['fewer layers than the manifest', { diffIds: [a.diffId] }],
    ['a layer without a digest', { diffIds: [a.diffId, b.diffId, '../../etc'] }],
    ['steps as a list', { steps: [step] }],
    ['no contents', { contents: undefined }],
    ['a path as a key', { steps: { '../../x': step } }],
    ['a step that is none', { steps: { [key('1')]: null } }],
    ['a layer that is not there', { steps: { [key('1')]: { ...step, layers: [3] } } }],
    ['a layer by name', { steps: { [key('1')]: { ...step, layers: ['length'] } } }],
    ['a layer between two', { steps: { [key('1')]: { ...step, layers: [0.5] } } }],
    ['more layers than steps made', { steps: { [key('1')]: { ...step, made: [false] } } }],
    ['a size below nothing', { steps: { [key('1')]: { ...step, sizeBytes: -1 } } }],
    ['too many layers', { steps: { [key('1')]: { ...step, layers: Array(501).fill(0) } } }],
    ['a content under a name', { contents: { x: a.diffId } }],
    ['a content that is no digest', { contents: { [key('1')]: 'x' } }],
    ['a mount of an owner that cannot be', { mounts: [{ ...mount, uid: -1 }] }],
    ['a mount with a mode that cannot be', { mounts: [{ ...mount, mode: 0o100000 }] }],
    ['a mount without a layer', { mounts: [{ ...mount, layer: undefined }] }],
  ];
  test.each(ROWS)('%s', (_name, change) => {
    const bytes = Buffer.from(JSON.stringify({ ...good, ...change }));
    expect(() => parseDocument(bytes, blobs, 'it')).toThrow(
      expect.objectContaining({
        code: 'IMAGE_INVALID',
        message: expect.stringMatching(/^reading it: /) as string,
      }),
    );
  });

  test('what is no JSON, too large, or of a type that is no layer', () => {
    const parse = (bytes: Uint8Array, of = blobs) => parseDocument(bytes, of, 'it');
    expect(() => parse(Buffer.from('{'))).toThrow(/not JSON/);
    expect(() => parse(Buffer.alloc(17 * 2 ** 20, ' '))).toThrow(/the limit is/);
    const odd = blobs.map((blob) => ({ ...blob, mediaType: 'application/octet-stream' }));
    expect(() => parse(encodeDocument(DOCUMENT, layers), odd)).toThrow(/a layer that is none/);
  });
});
