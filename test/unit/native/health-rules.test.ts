import { beforeAll, expect, test } from 'vitest';
import { encodePlan } from '../../../src/native/encode-plan.ts';
import type { HealthPlan } from '../../../src/native/plan.ts';
import { ROWS } from './health-rules.cases.ts';
import { runHelper, sanitizedHelper } from './helper.ts';
import { fullPlan, smallPlan } from './plans.ts';

beforeAll(() => void sanitizedHelper(), 300_000);

test.each(ROWS)('$name', async ({ check, probes, states }) => {
  const health = { ...(fullPlan().health as HealthPlan), ...check };
  const input = probes.map(([begun, ended, healthy]) => `${begun} ${ended} ${healthy ? 1 : 0}\n`).join('');
  const ended = await runHelper('health-rules', encodePlan({ ...smallPlan(), health }), { input });
  expect(ended).toEqual({ status: 0, stderr: '', stdout: states.map((line) => `${line}\n`).join('') });
});

test.each([
  { args: [] },
  { intervalMs: 0 },
  { timeoutMs: 0 },
  { startIntervalMs: 0 },
  { retries: 0 },
  { stopSignal: 0 },
  { stopSignal: 65 },
])('a plan with %o is none', async (wrong) => {
  const health = { ...(fullPlan().health as HealthPlan), ...wrong };
  const { status, stderr } = await runHelper('health-rules', encodePlan({ ...smallPlan(), health }));
  expect({ status, stderr }).toEqual({
    status: 125,
    stderr: expect.stringContaining('malformed record') as string,
  });
});

test('every row ran', () => expect(ROWS).toHaveLength(6));
