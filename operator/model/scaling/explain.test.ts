import { expect, test } from '@jest/globals';
import { needSentence } from './explain.ts';
import type { QueueModel } from './queueing.ts';
import { sizeFor } from './sizing.ts';
import type { LatencyTarget } from './types.ts';

const model: QueueModel = {
  service: { meanSeconds: 0.012, scv: 0.1 },
  slots: 1,
  burstiness: 1,
  balancing: 'least-outstanding',
};
const ofTarget = (targetMs: number, ratePerSecond: number) => {
  const latency: LatencyTarget[] = [{ percentile: 'p99', targetMs }];
  const need = sizeFor({
    ratePerSecond,
    floorRate: ratePerSecond,
    model,
    latency,
    requestsPerSecondPerReplica: undefined,
    strictness: 1,
  });
  return { need, text: needSentence(need, ratePerSecond, model, latency, undefined) };
};

test('a plan a little beyond the promise says that the model alone takes so long, and no other does', () => {
  let beyond = 0;
  for (let targetMs = 15; targetMs < 40; targetMs += 1)
    for (const rate of [20, 100, 300, 1_000]) {
      const { need, text } = ofTarget(targetMs, rate);
      if (need.infeasible.length > 0) continue;
      const predictedMs = Number(/predicted p99 ([\d.]+)ms/.exec(text)?.[1] ?? 0);
      const isSaid = /; the model alone takes [\d.]+ms, which more replicas do not shorten\)$/.test(text);
      expect([text, isSaid]).toEqual([text, predictedMs > 1.005 * targetMs]);
      if (isSaid) beyond += 1;
    }
  expect(beyond).toBeGreaterThan(0);
});

test.each<[name: string, planned: number, present: number, begins: string]>([
  ['both rates are told where they differ', 130, 118, '118 req/s now, planned for 130 req/s × 12ms'],
  ['one where they do not', 118, 118.5, '118 req/s × 12ms'],
  [
    'what is not expected to go on is not told as a plan for 0',
    0,
    0.3,
    '0.3 req/s now, none expected: 0 req/s',
  ],
  ['a model that nobody calls now has no requests', 0.214, 0, 'no requests now, planned for 0.214 req/s'],
  ['nor a plan, where none are expected', 0, 0, 'no requests'],
])('%s', (_name, planned, present, begins) => {
  const latency: LatencyTarget[] = [{ percentile: 'p99', targetMs: 100 }];
  const need = sizeFor({
    ratePerSecond: planned,
    floorRate: planned,
    model,
    latency,
    requestsPerSecondPerReplica: undefined,
    strictness: 1,
  });
  expect(needSentence(need, planned, model, latency, undefined, present).startsWith(begins)).toBe(true);
});
