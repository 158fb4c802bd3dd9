import { expect, it, test } from 'vitest';
import { annotationsOf, checkAnnotations, parseAnnotations } from '../../../src/builder/annotations.ts';

const ARM = { os: 'linux', architecture: 'arm64' };
const AMD = { os: 'linux', architecture: 'amd64' };

it.each<[text: string, manifest: object, index: object]>([
  ['a=b', { a: 'b' }, {}],
  ['a=b=c', { a: 'b=c' }, {}],
  ['a', { a: '' }, {}],
  ['org.x/y:z=1', { 'org.x/y:z': '1' }, {}],
  ['index:a=b', {}, { a: 'b' }],
  ['index,manifest:a=b', { a: 'b' }, { a: 'b' }],
  ['manifest[linux/arm64]:a=b', { a: 'b' }, {}],
  ['manifest[linux/amd64]:a=b', {}, {}],
])('%s', (text, manifest, index) => {
  const annotations = parseAnnotations([text]);
  expect(annotationsOf(annotations, 'manifest', ARM)).toEqual(manifest);
  expect(annotationsOf(annotations, 'index')).toEqual(index);
});

test('a platform in another spelling is the same', () => {
  const annotations = parseAnnotations(['manifest-descriptor[linux/x86_64]:a=b']);
  expect(annotationsOf(annotations, 'manifest-descriptor', AMD)).toEqual({ a: 'b' });
});

it.each(['=b', 'layer:a=b', 'index-descriptor:a=b', 'index,what:a=b', 'manifest[a/b/c/d]:a=b'])(
  'not %s',
  (text) => {
    expect(() => parseAnnotations([text])).toThrow();
  },
);

test('an index is needed for what goes to one', () => {
  const check = (text: string, hasIndex: boolean) => () =>
    checkAnnotations(parseAnnotations([text]), { hasIndex });
  expect(check('index:a=b', false)).toThrow(/an image of one platform has no index/);
  expect(check('manifest-descriptor:a=b', false)).toThrow();
  expect(check('index:a=b', true)).not.toThrow();
  expect(check('a=b', false)).not.toThrow();
});
