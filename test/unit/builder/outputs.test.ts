import { describe, expect, it } from 'vitest';
import { needsImage, parseOutput } from '../../../src/builder/outputs.ts';

describe('--output', () => {
  it.each([
    ['out', { output: { type: 'local', dest: 'out' } }],
    ['-', { output: { type: 'tar', dest: undefined } }],
    ['type=local,dest=a,', undefined],
    ['type=local,dest=a', { output: { type: 'local', dest: 'a' } }],
    ['type=tar,dest=-', { output: { type: 'tar', dest: undefined } }],
    ['dest=x.tar,TYPE=oci', { output: { type: 'oci', dest: 'x.tar' } }],
    ['type=docker,destination=x', { output: { type: 'docker', dest: 'x' } }],
    ['type=image', { output: { type: 'image' }, tags: [], push: false }],
    ['type=image,name=h/a,push=true', { output: { type: 'image' }, tags: ['h/a'], push: true }],
    ['type=registry,name=h/a', { output: { type: 'image' }, tags: ['h/a'], push: true }],
    ['type=registry,push=false', { output: { type: 'image' }, push: false }],
    ['type=image,push=perhaps', undefined],
    ['type=local', undefined],
    ['type=local,dest=', undefined],
    ['type=local,dest=a,push=true', undefined],
    ['type=oci,name=a', undefined],
    ['type=zip,dest=a', undefined],
    ['=x', undefined],
  ])('%s', (text, expected) => {
    if (expected === undefined) expect(() => parseOutput(text)).toThrow(`--output ${JSON.stringify(text)}: `);
    else expect(parseOutput(text)).toMatchObject(expected);
  });

  it('archives of images are written from the store', () => {
    expect(needsImage({ type: 'oci', dest: 'x' })).toBe(true);
    expect(needsImage({ type: 'local', dest: 'x' })).toBe(false);
  });
});
