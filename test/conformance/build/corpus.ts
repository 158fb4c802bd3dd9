// All rows.

import { ADD_ROWS } from './add.cases.ts';
import { CONFIG_ROWS } from './config.cases.ts';
import { COPY_ROWS } from './copy.cases.ts';
import { FROM_ROWS } from './from.cases.ts';
import type { Row } from './row.ts';
import { RUN_ROWS } from './run.cases.ts';
import { WORD_ROWS } from './words.cases.ts';

export const CORPUS: Readonly<Record<string, readonly Row[]>> = {
  FROM: FROM_ROWS,
  words: WORD_ROWS,
  configuration: CONFIG_ROWS,
  COPY: COPY_ROWS,
  ADD: ADD_ROWS,
  RUN: RUN_ROWS,
};
