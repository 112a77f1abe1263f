/** Whether the hop pays, row by row: what is weighed, and on which side of the line it falls. */
import { describe, expect, test } from '@jest/globals';
import type { Percentile } from '../scaling/types.ts';
import { type HopFacts, hopCpuSeconds, weighHop } from './hop.ts';

/** A service of 20 ms, gamma, promised p99 at 3.25 times the mean, up to 8 replicas of half a CPU. */
const facts = (part: Partial<HopFacts> = {}, ms = 20, targetMs = 3.25 * ms): HopFacts => ({
  service: { meanSeconds: ms / 1_000, scv: 0.25 },
  slots: 1,
  latency: [{ percentile: 'p99', targetMs }],
  maxReplicas: 8,
  cpuPerReplica: 0.5,
  gatewayCpus: 0.2,
  ...part,
});
const p = (percentile: Percentile, targetMs: number) => ({ percentile, targetMs });

describe('the hop', () => {
  test.each([
    ['pays for a tight promise', facts(), 'Gateway'],
    ['pays for two replicas', facts({ maxReplicas: 2 }), 'Gateway'],
    [
      'pays for a fixed service time: requests still meet at one pod',
      facts({ service: { meanSeconds: 0.02, scv: 0 } }),
      'Gateway',
    ],
    [
      'pays for service times that vary much',
      facts({ service: { meanSeconds: 0.02, scv: 4 } }, 20, 400),
      'Gateway',
    ],
    ['pays at 1 ms where the promise is tight', facts({}, 1, 5), 'Gateway'],
    ['does not pay for one replica', facts({ maxReplicas: 1 }), 'Direct'],
    ['does not pay without a promise', facts({ latency: [] }), 'Direct'],
    ['does not pay for a loose promise: random choice keeps it too', facts({}, 20, 1_000), 'Direct'],
    ['does not pay where the service is shorter than the hop', facts({}, 0.05, 10), 'Direct'],
    ['does not pay for a tight promise at a tenth of a millisecond', facts({}, 0.1, 1.2), 'Direct'],
    [
      'does not pay where pods cost next to nothing',
      facts({ maxReplicas: 2, cpuPerReplica: 0.02 }),
      'Direct',
    ],
    ['does not pay for a promise that nothing keeps', facts({}, 20, 15), 'Direct'],
    [
      'does not pay where the hop itself breaks the promise',
      facts({ service: { meanSeconds: 0.001, scv: 0 } }, 1, 1.8),
      'Direct',
    ],
  ])('%s', (_, given, path) => {
    expect(weighHop(given).path).toBe(path);
  });

  test('weighs promises that can be kept, and leaves out the others', () => {
    const both = weighHop(facts({ latency: [p('p50', 1), p('p99', 65)] }));
    expect(both).toEqual(weighHop(facts({ latency: [p('p99', 65)] })));
  });

  test('is dearer the shorter the service: there is one line, and it is crossed once', () => {
    const paths = [0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 50, 200].map(
      (ms) => weighHop(facts({}, ms, 4 * ms + 2)).path,
    );
    expect(paths.join(' ')).toMatch(/^(Direct )+(Gateway ?)+$/);
  });

  test('is reckoned with the CPU that the bench prints, at half a gateway’s time', () => {
    const { weighed } = weighHop(facts({ gatewayCpus: 0 }, 1, 5));
    const hop = (weighed?.throughCpus ?? 0) - 8 * 0.5;
    expect(hop).toBeCloseTo(((weighed?.ratePerSecond ?? 0) * hopCpuSeconds) / 0.5, 6);
    expect(weighed?.directCpus).toBe((weighed?.directReplicas ?? 0) * 0.5);
  });

  test('saves two to three times the replicas at a p99 of 4.7 times the mean', () => {
    const { weighed } = weighHop(facts({ maxReplicas: 16 }, 20, 94));
    expect((weighed?.directReplicas ?? 0) / 16).toBeGreaterThan(1.6);
    expect((weighed?.directReplicas ?? 0) / 16).toBeLessThan(3);
  });

  test('is told with its arithmetic', () => {
    expect(weighHop(facts({}, 20, 94)).sentence).toMatchInlineSnapshot(
      `"a request takes a replica 20ms: for 361 req/s within p99 ≤ 94ms the gateway and 8 replicas need 4.2 CPUs (0.2 for the hop), without it 21 replicas need 10.5: it pays"`,
    );
    expect(weighHop(facts({}, 20, 1_000)).sentence).toMatch(/: it saves less than a fifth$/);
  });
});
