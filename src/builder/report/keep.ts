// The report of a build goes to the store and to the page of the CI job. It is no part of the result: what cannot be written
// is said, and the build is as good as before.

import { randomBytes } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { encodeBytes } from '../../core/bytes.ts';
import { formatFamiliar, parseReference } from '../../core/reference.ts';
import { historyId, writeBuildHistory } from '../../store/build-history.ts';
import type { BuildParts } from '../parts.ts';
import { BuildRecorder, type BuildOutcome } from './record.ts';
import { summaryMarkdown } from './summary.ts';
import { timelineSvg } from './timeline.ts';

const KEPT_BUILDS = 30;

type KeepParts = Pick<BuildParts, 'paths' | 'env' | 'log'>;

export class BuildKeeper extends BuildRecorder {
  readonly #parts: KeepParts;
  readonly #id: string;

  constructor(parts: KeepParts, startedMs: number) {
    super(startedMs);
    this.#parts = parts;
    this.#id = historyId(startedMs, randomBytes(4).toString('hex'));
  }

  /** @returns path of the picture; undefined: nothing was kept */
  keep(outcome: Omit<BuildOutcome, 'id'>): string | undefined {
    if (this.isEmpty) return undefined;
    const tags = outcome.tags.map((tag) => formatFamiliar(parseReference(tag)));
    const report = this.report(Date.now(), { id: this.#id, ...outcome, tags });
    const dir = this.#attempt('keeping the picture of the build', () =>
      writeBuildHistory(
        this.#parts.paths,
        this.#id,
        { 'build.json': `${JSON.stringify(report, null, 2)}\n`, 'timeline.svg': timelineSvg(report) },
        KEPT_BUILDS,
      ),
    );
    const timeline = dir === undefined ? undefined : `${dir}/timeline.svg`;
    const page = this.#parts.env['GITHUB_STEP_SUMMARY'];
    if (page !== undefined && page !== '')
      this.#attempt(`writing GITHUB_STEP_SUMMARY ${JSON.stringify(page)}`, () =>
        appendFileSync(encodeBytes(page), summaryMarkdown(report, timeline)),
      );
    return timeline;
  }

  #attempt<T>(doing: string, work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      this.#parts.log.warn(`${doing}: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  }
}
