import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openProgress } from '../../../src/cli/progress.ts';
import { digestOf } from '../../../src/core/digest.ts';
import type { ImageEvent } from '../../../src/image/events.ts';

const A = digestOf('a');
const B = digestOf('b');
const IMAGE = digestOf('image');

const begin: ImageEvent[] = [
  { type: 'begin', reference: 'docker.io/library/x:1' },
  {
    type: 'resolved',
    reference: 'docker.io/library/x:1',
    digest: IMAGE,
    platform: { os: 'linux', architecture: 'arm64', variant: 'v8' },
    layers: [
      { digest: A, sizeBytes: 1_000_000 },
      { digest: B, sizeBytes: 500_000 },
    ],
  },
];
const layer = (
  digest: typeof A,
  state: 'present' | 'queued' | 'downloading' | 'downloaded' | 'unpacking' | 'done',
  doneBytes: number,
): ImageEvent => ({
  type: 'layer',
  digest,
  state,
  doneBytes,
  totalBytes: digest === A ? 1_000_000 : 500_000,
});

async function open(options: { quiet?: boolean } = {}) {
  const lines: string[] = [];
  const io = { stderr: (line: string) => lines.push(line), stderrIsTerminal: false };
  return { lines, view: await openProgress({ io, ...options }) };
}

describe('without a terminal', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('prints one line a phase, however many events there are', async () => {
    const { lines, view } = await open();
    for (const event of begin) view.onEvent(event);
    view.onEvent(layer(A, 'queued', 0));
    view.onEvent(layer(B, 'queued', 0));
    for (let done = 0; done < 1_000_000; done += 10_000) view.onEvent(layer(A, 'downloading', done));
    view.onEvent(layer(A, 'downloaded', 1_000_000));
    view.onEvent(layer(B, 'downloading', 1));
    view.onEvent(layer(B, 'downloaded', 500_000));
    view.onEvent(layer(A, 'unpacking', 1_000_000));
    view.onEvent(layer(A, 'done', 1_000_000));
    view.onEvent({ type: 'publishing', reference: 'docker.io/library/x:1' });
    view.onEvent({
      type: 'end',
      reference: 'docker.io/library/x:1',
      digest: IMAGE,
      imageId: IMAGE,
      changed: true,
    });
    view.close();
    expect(lines).toEqual([
      'docker.io/library/x:1: resolving',
      `docker.io/library/x:1: 2 layers, 1.5MB, linux/arm64/v8, ${IMAGE}`,
      'downloading 2 layers: 0B of 1.5MB',
      'unpacking 2 layers: 1.5MB of 1.5MB',
      'docker.io/library/x:1: writing to the store',
      `docker.io/library/x:1: stored as ${IMAGE}`,
    ]);
  });

  it('shows life every ten seconds', async () => {
    const { lines, view } = await open();
    for (const event of begin) view.onEvent(event);
    view.onEvent(layer(A, 'present', 1_000_000));
    view.onEvent(layer(B, 'downloading', 0));
    lines.length = 0;
    vi.advanceTimersByTime(9_999);
    expect(lines).toEqual([]);
    view.onEvent(layer(B, 'downloading', 250_000));
    vi.advanceTimersByTime(1);
    expect(lines).toEqual(['downloading 1 layer: 250kB of 500kB']);
    view.close();
    vi.advanceTimersByTime(60_000);
    expect(lines.length).toBe(1);
  });

  it('says that an image is up to date', async () => {
    const { lines, view } = await open();
    view.onEvent({ type: 'end', reference: 'x', digest: IMAGE, imageId: IMAGE, changed: false });
    view.close();
    expect(lines).toEqual([`x: is up to date, ${IMAGE}`]);
  });

  it('is silent when told', async () => {
    const { lines, view } = await open({ quiet: true });
    for (const event of begin) view.onEvent(event);
    view.close();
    expect(lines).toEqual([]);
  });
});
