// Fuzzes the Dockerfile front end for a while (run.sh). The first failure is shrunk and printed
// with its seed; test/property/dockerfile.test.ts is the short form.

import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { damagedDockerfile, dockerfileText, likelyDockerfile } from './arbitraries.ts';
import { judge, roundTrip } from './judge.ts';

const [seconds = '30', seed] = process.argv.slice(2);
const bytes = fc.oneof(
  damagedDockerfile,
  dockerfileText.map((text) => Buffer.from(text)),
  likelyDockerfile.map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 300 }),
);
let runs = 0;
fc.assert(
  fc.property(bytes, (input) => {
    runs++;
    judge(input);
    const trip = roundTrip(Buffer.from(input).toString('utf8'));
    return (
      trip === undefined || (isDeepStrictEqual(trip.first, trip.second) && trip.texts[0] === trip.texts[1])
    );
  }),
  {
    numRuns: Number.MAX_SAFE_INTEGER,
    interruptAfterTimeLimit: Number(seconds) * 1000,
    ...(seed === undefined ? {} : { seed: Number(seed) }),
  },
);
console.log(`${runs} inputs, none that breaks a rule`);
