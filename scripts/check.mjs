// npm run check: what must be right before a commit: the checks of the sources, and the unit tests.

import { CHECKS, runStages } from './test.mjs';

process.exitCode = runStages([...CHECKS, 'unit']);
