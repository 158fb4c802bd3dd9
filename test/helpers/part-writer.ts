// Run by a test as a process of its own: brings a blob into a store in small steps, going on where others stopped.
// argv: GRAPH_ROOT CONTENT_FILE PAUSE_MS. Prints `wrote N` or `found`.

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { digestOf } from '../../src/core/digest.ts';
import { BlobPart } from '../../src/store/part.ts';

const STEP_BYTES = 10_000;

const [graphRoot = '', file = '', pauseMs = '0'] = process.argv.slice(2);
const content = readFileSync(file);
const part = await BlobPart.open({ graphRoot }, { digest: digestOf(content), size: content.length });
if (part === undefined) {
  process.stdout.write('found\n');
} else {
  const start = part.sizeBytes;
  while (part.sizeBytes < content.length) {
    await part.write(content.subarray(part.sizeBytes, part.sizeBytes + STEP_BYTES));
    await sleep(Number(pauseMs));
  }
  await part.commit();
  process.stdout.write(`wrote ${content.length - start}\n`);
}
