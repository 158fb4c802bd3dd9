// Progress for commands that seldom have any: `run` pulls once and then never again, so the views (and cli-progress) are
// loaded by the first event.

import type { ImageEvent } from '../image/events.ts';
import type { Io } from './context.ts';
import type { ProgressView } from './progress.ts';

/** As openProgress, at once. Events that come while the view is being loaded are shown in order afterwards. */
export function lazyProgress(io: Pick<Io, 'stderr' | 'stderrIsTerminal'>, quiet: boolean): ProgressView {
  const waiting: ImageEvent[] = [];
  let view: ProgressView | undefined;
  let closed = false;
  let loading = false;
  const load = async (): Promise<void> => {
    const { openProgress } = await import('./progress.ts');
    const opened = await openProgress({ io, quiet });
    if (closed) {
      opened.close();
      return;
    }
    view = opened;
    for (const event of waiting.splice(0)) view.onEvent(event);
  };
  return {
    onEvent(event) {
      if (view !== undefined) {
        view.onEvent(event);
        return;
      }
      waiting.push(event);
      if (!loading) void load();
      loading = true;
    },
    close() {
      closed = true;
      view?.close();
    },
  };
}
