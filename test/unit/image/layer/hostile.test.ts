import { describe, expect, test } from 'vitest';
import { addon } from '../../../../src/native/addon.ts';
import { HOSTILE } from './hostile.cases.ts';
import { layer, sandbox, snapshot, unpackBytes } from './sandbox.ts';

describe('hostile layers', () => {
  test.each(HOSTILE)('$name', async ({ entries, expect: expected }) => {
    const { outside, dest } = sandbox();
    const before = snapshot(outside, dest);
    const bytes = layer(entries);
    const result = await unpackBytes(bytes, dest).catch((error: unknown) => error);
    expect({ ...snapshot(outside, dest), dest: undefined }).toEqual({ ...before, dest: undefined });
    if (typeof expected === 'string') {
      expect(result).toMatchObject({ name: 'EngineError', code: expected });
      return;
    }
    expect(result).toMatchObject({ diffId: expect.stringMatching(/^sha256:/) });
    const tree = Object.entries(snapshot(dest)).filter(
      ([path, what]) => path in expected || what !== 'dir 755',
    );
    expect(Object.fromEntries(tree)).toEqual(expected);
  });

  test('no reserved attribute arrives', async () => {
    const { dest } = sandbox();
    const xattrs = { 'user.overlay.opaque': 'y', 'user.skiff.owner': '0:0:4755', 'user.kept': 'yes' };
    await unpackBytes(layer([{ path: 'd', type: 'dir', xattrs }]), dest);
    expect(addon().llistxattr(Buffer.from(`${dest}/d`))).toEqual(['user.kept']);
  });
});
