/** The list of reference/autoscaling.md §3.11, a line a test. Lines 10 and 17 to 19 name where else more of them is held; line 7 has more in refusals.test.ts. */
import { describe, expect, test } from '@jest/globals';
import { type AllocationDemand, allocate, noAllocation } from './allocate.ts';
import { decide, initialState } from './decide.ts';
import { advanceForecast, type Forecast, plannedRate } from './forecast.ts';
import { emptyRing, merge } from './ring.ts';
import { input, observation, pod, pods } from './testing/build.ts';
import { seededRandom } from './testing/random.ts';
import type { Scenario } from './testing/simulate.ts';
import { simulate } from './testing/simulate.ts';
import { behindGateway, tell, uptime } from './testing/tell.ts';

const at = 1_000_000;
const base: Scenario = {
  input: input(),
  seconds: 200,
  rate: () => 40,
  peakRate: 250,
  serviceMs: 12,
};

test('1: feedback wind-up: lateness by itself raises nothing: twenty minutes of it ask for no more than the first did', () => {
  const late = tell(
    1_200,
    (second, ready, nowMs) =>
      observation(
        pods(ready, nowMs, 40, {
          ...uptime(second),
          boundsMs: [50],
          counts: [0, 40 * (second + 1)],
          counters: { arrivals: 40 * second },
        }),
      ),
    input(),
  );
  expect(Math.max(...late.counts)).toBe(Math.max(...late.counts.slice(0, 60)));
  expect(late.last.replicas).toBeLessThanOrEqual(2);
});

test('2: noise at a low rate is no need', () => {
  for (const seed of [1, 2, 3, 4]) {
    const outcome = simulate({
      ...base,
      rate: () => 0.5,
      peakRate: 0.5,
      serviceMs: 100,
      seed,
      input: input({ latency: [{ percentile: 'p95', targetMs: 500 }] }),
    });
    expect(Math.max(...outcome.replicas)).toBe(1);
  }
});

test('3: a backlog is worked off once and is no permanent demand', () => {
  const outcome = simulate({
    ...base,
    rate: (second) => (second < 60 ? 20 : 160),
    peakRate: 160,
    startMs: [8_000, 12_000],
    seconds: 300,
  });
  const needed = outcome.replicas.at(-1) ?? 0;
  expect(needed).toBeGreaterThanOrEqual(4);
  expect(Math.max(...outcome.replicas)).toBeLessThanOrEqual(3 * needed);
  expect(outcome.lateShare(50, 120)).toBeLessThan(0.05);
});

test('4: cold prior: a handful of slow first requests has the spread of an exponential, and is forgotten', () => {
  const cold = decide(
    initialState,
    observation(pods(2, at, 2, { uptimeSeconds: 6, serviceMs: 40, scv: 9 })),
    input(),
    at,
  );
  expect(cold.why.inputs.serviceSamples).toBeLessThan(30);
  expect(cold.replicas).toBeLessThanOrEqual(4);
  expect(cold.next.service).toBe('unknown');
  const warm = decide(
    cold.next,
    observation(pods(2, at + 60_000, 40, { uptimeSeconds: 66 })),
    input(),
    at + 60_000,
  );
  expect(warm.why.inputs.serviceMs).toBeLessThan(20);
});

test('5: service time that grows with the load settles: what is asked for stays in proportion', () => {
  const contended = tell(
    400,
    behindGateway(
      () => 300,
      (second) => ({ serviceMs: second < 100 ? 12 : 18 }),
    ),
  );
  const before = contended.counts[99] ?? 0;
  expect(contended.last.replicas).toBeGreaterThan(before);
  expect(contended.peak).toBeLessThanOrEqual(2 * before);
  expect(new Set(contended.counts.slice(-60)).size).toBe(1);
});

describe('5: pods that slow each other on one full machine', () => {
  /** 300 a second against what `cores` can do, whatever the number of pods. */
  const machine = (cores: number) =>
    tell(
      400,
      (second, ready, nowMs) =>
        behindGateway(
          () => 300,
          () => ({
            serviceMs: 12 * Math.max(1, ready / cores),
            queueLength: Math.min(ready, cores) / 0.012 > 300 ? 0 : 200,
            served: () => Math.min(300, Math.min(ready, cores) / 0.012),
          }),
        )(second, ready, nowMs),
      input({ balancing: 'least-outstanding', maxReplicas: 100 }),
      2,
      25,
    );

  test('are recognised by what full replicas served before and after, named, and given up again', () => {
    const { last, peak } = machine(2);
    expect(peak).toBeGreaterThan(20);
    expect(last.replicas).toBe(3);
    expect(last.why).toMatchObject({
      limited: {
        reason: 'NoGain',
        sentence: expect.stringMatching(
          /^with requests waiting all the time 2 replicas served 167 req\/s and \d+ served 167; a request takes \d+ms and not 12ms: replicas slow each other/,
        ),
      },
    });
  });

  test('are told from pods that are simply too few', () => {
    const { decisions, last } = machine(100);
    expect(decisions.some(({ why }) => why.limited?.reason === 'NoGain')).toBe(false);
    expect(last.replicas).toBeGreaterThanOrEqual(4);
  });
});

test('6: a sick pod among five raises the count, and not without bound', () => {
  const four = Array.from({ length: 4 }, (_, index) => pod(`pod-${index}`, at, { rate: 30 }));
  const { replicas } = decide(
    initialState,
    observation([...four, pod('sick', at, { rate: 30, serviceMs: 36 })]),
    input(),
    at,
  );
  expect(replicas).toBeGreaterThanOrEqual(5);
  expect(replicas).toBeLessThanOrEqual(20);
});

test('7: a retry storm: what was refused comes again, and the count neither runs away nor stays', () => {
  const need = tell(
    100,
    behindGateway(() => 400),
  ).last.replicas;
  // 400 a second, of which what four pods cannot serve comes back a second later until there are enough.
  const offered: number[] = [];
  const storm = tell(400, (second, ready, nowMs) => {
    const refused = Math.max(0, (offered[second - 1] ?? 0) - ready * 80);
    offered[second] = (second < 20 ? 200 : 400) + Math.min(refused, 2_000);
    return behindGateway((end) => offered[Math.max(0, Math.min(second, end))] ?? 200)(second, ready, nowMs);
  });
  expect(storm.peak).toBeGreaterThanOrEqual(need);
  expect(storm.peak).toBeLessThanOrEqual(5 * need);
  expect(storm.last.replicas).toBeLessThanOrEqual(need + 1);
});

describe('8: start-up slower than what was learned', () => {
  test('pods that take long to start are asked for once', () => {
    const outcome = simulate({
      ...base,
      rate: (second) => (second < 30 ? 10 : 40),
      startMs: [60_000, 60_000],
      seconds: 80,
    });
    expect(Math.max(...outcome.replicas)).toBeLessThanOrEqual(6);
  });

  test('the forecast reaches as far as the slowest tenth of the last starts', () => {
    const ahead = (startups: readonly number[]) => {
      const rising = (second: number, ready: number, nowMs: number) => ({
        ...behindGateway((end) => 200 + 2 * end)(second, ready, nowMs),
        startups,
      });
      return tell(60, rising).last.why.inputs.forecastRate as number;
    };
    expect(ahead([60, 60, 60, 60])).toBeGreaterThan(ahead([5, 5, 5, 5]));
  });
});

test('9: unschedulable: the count does not grow on what finds no place', () => {
  const full = tell(200, (second, ready, nowMs) => ({
    ...behindGateway((end) => (end < 20 ? 200 : 900))(second, Math.min(ready, 4), nowMs),
    blockedReplicas: second > 5 ? 2 : 0,
  }));
  expect(Math.max(...full.counts.slice(6))).toBe(full.counts[5]);
  expect(full.last.why).toMatchObject({ reason: 'HoldBlocked', limited: { reason: 'NoRoom' } });
});

test('10: two controllers: in mode External the count is whatever the other wrote (contest.test.ts names who)', () => {
  for (const fixedReplicas of [7, 1])
    expect(
      decide(initialState, observation(pods(7, at, 400)), input({ mode: 'External', fixedReplicas }), at)
        .replicas,
    ).toBe(fixedReplicas);
});

test('11: the clock is data: the same past at another time gives the same decision', () => {
  const early = decide(initialState, observation(pods(2, 200_000, 118)), input(), 200_000);
  const late = decide(initialState, observation(pods(2, 9e12, 118)), input(), 9e12);
  expect(late.replicas).toBe(early.replicas);
  expect(late.why).toEqual(early.why);
});

test('12: counters that start anew with a pod are no fall of the rate', () => {
  const restarted = tell(
    160,
    (second, ready, nowMs) =>
      observation(
        pods(ready, nowMs, 118, {
          uptimeSeconds: second < 100 ? 100 + second : second - 99,
          counters: { arrivals: second },
        }).map((one, index) =>
          one.reading === 'unknown' || second < 100
            ? one
            : {
                ...one,
                reading: { ...one.reading, report: { ...one.reading.report, instance: `again-${index}` } },
              },
        ),
      ),
    input(),
    3,
  );
  const before = restarted.counts[99] ?? 0;
  expect(Math.min(...restarted.counts.slice(100))).toBe(before);
});

test('13: after an outage the trend is clipped: the plan is no more than half above the level', () => {
  let ring = emptyRing;
  let forecast: Forecast | undefined;
  for (let second = 1; second <= 240; second += 1) {
    const atMs = at + second * 1_000;
    const arrivals = second < 100 ? 100 : second < 200 ? 0 : 100;
    ring = merge(ring, [{ atMs, arrivals, serviceCount: 0, serviceSumSeconds: 0, serviceSumSquares: 0 }]);
    forecast = advanceForecast(forecast, ring, Math.floor(atMs / 1_000), 25);
    if (second < 200 || forecast === undefined) continue;
    expect(plannedRate({ ...forecast, margin: 0 }, 600, 1)).toBeLessThanOrEqual(
      Math.max(1.5 * forecast.level, 1),
    );
    if (second > 220) expect(plannedRate({ ...forecast, margin: 0 }, 25, 1)).toBeLessThan(130);
  }
});

test('14: nothing is taken away during a rolling update', () => {
  const state = { ...initialState, replicas: 6, freshSinceMs: 0 };
  const seen = observation(pods(6, at, 6), { rolloutInProgress: true });
  expect(decide(state, seen, input(), at)).toMatchObject({ replicas: 6, why: { reason: 'HoldDown' } });
});

test('15: a promise below the service time is not chased, and is said', () => {
  const spec = input({ latency: [{ percentile: 'p99', targetMs: 10 }] });
  const outcome = simulate({ ...base, input: spec, rate: () => 100 });
  expect(Math.max(...outcome.replicas)).toBeLessThanOrEqual(3);
  expect(outcome.whys.at(-1)?.limited?.reason).toBe('SLAInfeasible');
});

describe('17: nodes of two speeds', () => {
  test('count by what they can do together: the mean over requests is the capacity of the mix', () => {
    const seen = (fast: number, slow: number) =>
      decide(
        initialState,
        observation([
          ...Array.from({ length: fast }, (_, index) =>
            pod(`fast-${index}`, at, { rate: 60, serviceMs: 10 }),
          ),
          ...Array.from({ length: slow }, (_, index) =>
            pod(`slow-${index}`, at, { rate: 30, serviceMs: 20 }),
          ),
        ]),
        input({ balancing: 'least-outstanding' }),
        at,
      );
    // Each pod is 60 % busy: 4 pods' worth of 0.6, whatever the mix.
    expect(seen(4, 0).why.inputs.busyReplicas).toBeCloseTo(2.4, 0);
    expect(seen(2, 2).why.inputs.busyReplicas).toBeCloseTo(2.4, 0);
    expect(seen(2, 2).replicas).toBeGreaterThanOrEqual(seen(4, 0).replicas);
  });
});

test('18: a job that is overloaded is not starved: each further replica is worth something to it', () => {
  const job = (key: string, ratePerSecond: number): AllocationDemand => ({
    key,
    pool: 'any',
    wanted: Math.ceil(ratePerSecond / 5),
    current: 1,
    blocked: 0,
    starting: 0,
    least: 1,
    weight: 1,
    cost: 1,
    asks: { cpu: 1 },
    ratePerSecond,
    aheadMs: 30_000,
    model: {
      service: { meanSeconds: 0.15, scv: 0.1 },
      slots: 1,
      burstiness: 1,
      balancing: 'least-outstanding',
    },
    latency: [{ percentile: 'p99', targetMs: 700 }],
  });
  // Far from enough for the large one: its promise is out of reach, yet what is free goes to it.
  const { memory } = allocate([job('large', 200), job('small', 5)], new Map([['any', 12]]), noAllocation, at);
  expect(memory.granted.get('small')).toBeLessThanOrEqual(3);
  expect(memory.granted.get('large')).toBeGreaterThanOrEqual(9);
});

test('19: the surplus of a burst stays within maxReplicas, and within what the cluster has room for', () => {
  const burst = (blocked: number) =>
    tell(
      120,
      (second, ready, nowMs) => ({
        ...behindGateway((end) => (end < 60 ? 100 : 900))(second, ready, nowMs),
        blockedReplicas: second > 62 ? blocked : 0,
      }),
      input({ balancing: 'least-outstanding', maxReplicas: 30 }),
    );
  expect(burst(0).peak).toBeLessThanOrEqual(30);
  const inFull = burst(3);
  expect(Math.max(...inFull.counts.slice(63))).toBe(inFull.counts[62]);
});

test('20: traffic that ends costs no more than three minutes of what it had', () => {
  const outcome = simulate({
    ...base,
    rate: (second) => (second < 100 ? 200 : 0),
    peakRate: 200,
    seconds: 300,
  });
  expect(outcome.replicas.at(-1)).toBe(1);
});

test('bursts that are over before a pod can start are named, once there is a pattern, and ordinary steps are not', () => {
  const random = seededRandom(3);
  const starts = Array.from({ length: 10 }, (_, index) => 60 + 90 * index + Math.floor(20 * random.next()));
  const bursty = tell(
    1_000,
    behindGateway((second) => (starts.some((start) => second >= start && second < start + 3) ? 700 : 30)),
  );
  expect(bursty.last.why.limited).toMatchObject({
    reason: 'BurstUnservable',
    sentence: expect.stringMatching(/^\d+ of \d+ bursts of the last 20min were over after/),
  });
  const steps = tell(
    900,
    behindGateway((second) => (Math.floor(second / 150) % 2 === 0 ? 60 : 400)),
  );
  expect(steps.last.why.limited).toBeUndefined();
});
