// Push events → docker's lines on stdout. Where it takes its time, a line on stderr every ten seconds says how far it is.

import type { PushEvent } from '../image/push.ts';
import type { Io } from './context.ts';
import { humanSize } from './human.ts';

const HEARTBEAT_MS = 10_000;

export interface PushView {
  onEvent: (event: PushEvent) => void;
  close(): void;
}

/** quiet: the references alone. */
export function printPush(io: Pick<Io, 'stdout' | 'stderr'>, quiet: boolean): PushView {
  const sent = new Map<string, number>();
  const timer = setInterval(() => {
    const bytes = [...sent.values()].reduce((sum, one) => sum + one, 0);
    if (sent.size > 0)
      io.stderr(`pushing ${sent.size} layer${sent.size === 1 ? '' : 's'}: ${humanSize(bytes)} sent`);
  }, HEARTBEAT_MS);
  timer.unref();
  if (quiet) clearInterval(timer);
  return {
    close: () => clearInterval(timer),
    onEvent(event) {
      if (event.type === 'progress') sent.set(event.diffId, event.doneBytes);
      if (event.type === 'layer') sent.delete(event.diffId);
      const line = lineOf(event, quiet);
      if (line !== undefined) io.stdout(line);
    },
  };
}

function lineOf(event: PushEvent, quiet: boolean): string | undefined {
  if (quiet) return event.type === 'end' ? event.reference : undefined;
  switch (event.type) {
    case 'begin':
      return `The push refers to repository [${event.repository}]`;
    case 'layer':
      return `${event.diffId.slice('sha256:'.length, 19)}: ${outcomeText(event)}`;
    case 'end':
      return `${event.tag}: digest: ${event.digest} size: ${event.sizeBytes}`;
    case 'progress':
      return undefined;
  }
}

function outcomeText({ outcome }: Extract<PushEvent, { type: 'layer' }>): string {
  if (outcome === 'present') return 'Layer already exists';
  return outcome === 'pushed' ? 'Pushed' : `Mounted from ${outcome.mountedFrom}`;
}
