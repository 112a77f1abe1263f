/**
 * The table of reference/autoscaling.md §3.9, a row a test: what is missing, stale, wrong or a lie never lowers the count.
 * `faults.test.ts` has the same faults against simulated pods under Poisson traffic.
 */
import { describe, expect, test } from '@jest/globals';
import type { LoadSecond } from '../../../crds/wire.ts';
import { decide, initialState } from './decide.ts';
import { input, observation, pod, pods, silentPod } from './testing/build.ts';
import { gateway } from './testing/gateway.ts';
import type { Decision, Observation, PodObservation, ScalingState } from './types.ts';

const at = 1_000_000;
const faultAt = 100;
const before = 118;

interface Moment {
  readonly nowMs: number;
  readonly second: number;
  readonly replicas: number;
  /** A report of each pod, had it been asked; the rate is that of all together. */
  readonly say: (rate: number, more?: Parameters<typeof pods>[3]) => PodObservation[];
}
type World = (moment: Moment) => Partial<Observation> & Pick<Observation, 'pods'>;

type Balancing = 'random' | 'least-outstanding';

/** Goes on deciding each second until then; what is asked for runs at once. */
function goOn(from: readonly Decision[], world: World, balancing: Balancing, until: number): Decision[] {
  const decisions = [...from];
  let state: ScalingState = from.at(-1)?.next ?? initialState;
  let replicas = from.at(-1)?.replicas ?? 3;
  for (let second = from.length; second < until; second += 1) {
    const nowMs = at + second * 1_000;
    const say: Moment['say'] = (rate, more) =>
      pods(replicas, nowMs, rate, { uptimeSeconds: 100 + second, ...more });
    const { pods: seen, ...rest } = world({ nowMs, second, replicas, say });
    const decision = decide(
      state,
      observation(seen, { replicas, ...rest }),
      input({ balancing, maxReplicas: 20 }),
      nowMs,
    );
    decisions.push(decision);
    state = decision.next;
    replicas = decision.replicas;
  }
  return decisions;
}

/** The hundred seconds before a fault, told once: they are the same in every story. */
const calmDecisions = (balancing: Balancing) =>
  goOn(
    [],
    ({ say, nowMs, second }) => ({
      pods: say(before),
      ...(balancing === 'random'
        ? {}
        : {
            gateways: [gateway('a', nowMs, { rate: before, uptimeSeconds: 100 + second })],
            expectedGateways: 1,
          }),
    }),
    balancing,
    faultAt,
  );
const calmOf = { random: calmDecisions('random'), 'least-outstanding': calmDecisions('least-outstanding') };

/** 250 s, of which all is well for the first hundred. */
function story(fault: World, balancing: Balancing = 'random', until = 250) {
  const decisions = goOn(calmOf[balancing], fault, balancing, until);
  const counts = decisions.map((decision) => decision.replicas);
  const calm = counts[faultAt - 1] ?? 0;
  return {
    counts,
    calm,
    last: decisions.at(-1) as Decision,
    /** Whether the count ever fell once the fault was there. */
    fell: counts.slice(faultAt).some((count) => count < calm),
    peak: Math.max(...counts),
  };
}

/** The answer of a pod that was good when it was given. */
const old = (moment: Moment, ageSeconds: number) =>
  Array.from({ length: moment.replicas }, (_, index) =>
    pod(
      `pod-${index}`,
      moment.nowMs,
      { rate: before / moment.replicas, uptimeSeconds: 100 + moment.second - ageSeconds },
      { ageMs: ageSeconds * 1_000 },
    ),
  );

test('the check can fail: a load that really fell lowers the count', () => {
  const outcome = story(({ say, second }) => ({
    pods: say(1, { counters: { arrivals: 100_000 + second } }),
  }));
  expect(outcome.fell).toBe(true);
});

test('pod scrape fails for less than 3 s: its last sample is held', () => {
  const outcome = story((moment) => ({
    pods: moment.second % 10 < 4 ? old(moment, (moment.second % 10) + 1) : moment.say(before),
  }));
  expect(outcome.fell).toBe(false);
  expect(outcome.peak).toBe(outcome.calm);
  expect(outcome.last.why.freshness).toBe('ok');
});

describe('fresh/ready below 50 %', () => {
  const half = ({ say }: Moment, rate: number) => [
    ...say(rate, { counters: { arrivals: 1e6 } }).slice(0, 1),
    ...['b', 'c', 'd'].map((name) => silentPod(name)),
  ];

  test('no decrease', () => {
    const outcome = story((moment) => ({ pods: half(moment, 3) }));
    expect(outcome.fell).toBe(false);
    expect(outcome.last.why.freshness).toBe('partial');
  });

  test('increases are allowed from what the gateway sees: its rate and its queue', () => {
    const rises = (more: { rate: number; queueLength?: number }) =>
      story(
        (moment) => ({
          pods: half(moment, before),
          gateways: [gateway('a', moment.nowMs, { uptimeSeconds: 100 + moment.second, ...more })],
          expectedGateways: 1,
        }),
        'least-outstanding',
        120,
      );
    expect(rises({ rate: 600 }).peak).toBeGreaterThanOrEqual(8);
    const queued = rises({ rate: before, queueLength: 500 });
    expect(queued.peak).toBeGreaterThan(queued.calm);
  });
});

describe('all metrics gone', () => {
  const gone: World = ({ replicas }) => ({
    pods: Array.from({ length: replicas }, (_, index) => silentPod(`pod-${index}`)),
  });

  const outcome = story(gone);

  test('what runs is kept, never to zero, and ScalingLimited says MetricsUnknown after half a minute', () => {
    expect(outcome.fell).toBe(false);
    expect(outcome.last).toMatchObject({
      why: { reason: 'HoldUnknown', needed: 'unknown', limited: { reason: 'MetricsUnknown' } },
    });
    expect(story(gone, 'random', faultAt + 20).last.why.limited).toBeUndefined();
  });

  test('after ten minutes it goes back up to what was needed when figures last came', () => {
    const halted = { ...outcome.last.next, replicas: 1 };
    const seen = observation([silentPod('pod-0')]);
    const early = decide(halted, seen, input(), at + (faultAt + 590) * 1_000);
    const later = decide(halted, seen, input(), at + (faultAt + 610) * 1_000);
    expect(early.replicas).toBe(1);
    expect(later.replicas).toBe(outcome.calm);
    expect(later.why.sentence).toContain('what was needed when figures last came');
  });
});

test('gateway gone but pods fresh: the pods’ counters give the rate, raise the count, and never lower it', () => {
  const gatewayGone = (rate: number) =>
    story(
      (moment) => ({
        pods: moment.say(rate, { counters: { arrivals: 1e6 } }),
        gateways: [],
        expectedGateways: 1,
      }),
      'least-outstanding',
    );
  const little = gatewayGone(3);
  expect(little.fell).toBe(false);
  expect(little.last.why.freshness).toBe('partial');
  expect(gatewayGone(600).peak).toBeGreaterThan(little.calm);
});

describe('NaN, infinite, negative, counter reset, clock skew of more than 5 s', () => {
  test.each([
    ['NaN', { queueLength: Number.NaN }],
    ['infinite', { oldestWaitMs: Number.POSITIVE_INFINITY }],
    ['negative', { rate: -1 }],
    ['counter reset within one process', { rate: 0.1, counters: { arrivals: 1 } }],
  ])('%s: the answer is refused and counted', (_name, wrong) => {
    const outcome = story((moment) => ({ pods: moment.say(3, { counters: { arrivals: 1e6 }, ...wrong }) }));
    expect(outcome.fell).toBe(false);
    expect(outcome.peak).toBe(outcome.calm);
    expect(outcome.last.next.rejectedReadings).toBeGreaterThan(0);
  });

  test('a pod’s wall clock may say anything: only its monotonic clock counts', () => {
    const told = (startedAtMs: number) => {
      const seen = pods(3, at, before).map((one) =>
        one.reading === 'unknown'
          ? one
          : { ...one, reading: { ...one.reading, report: { ...one.reading.report, startedAtMs } } },
      );
      return decide(initialState, observation(seen), input(), at);
    };
    expect(told(-1e12).replicas).toBe(told(0).replicas);
    expect(told(1e15).why).toEqual(told(0).why);
  });
});

test('a jump of one pod to more than a hundredfold: the pod in the middle is believed until it says so three times', () => {
  const liar = (forSeconds: number) =>
    story(({ say, second }) => ({
      pods: say(before).map((one, index) => {
        if (index > 0 || second >= faultAt + forSeconds || one.reading === 'unknown') return one;
        const { report } = one.reading;
        const { length } = report.seconds;
        const seconds = Array.from({ length }, (_, place) => ({
          ...(report.seconds.at(place) as LoadSecond),
          ...(place === length - 1 ? { arrivals: 100_000 } : {}),
        }));
        return { ...one, reading: { ...one.reading, report: { ...report, seconds } } };
      }),
    }));
  const once = liar(2);
  expect(once.peak).toBe(once.calm);
  expect(liar(20).peak).toBe(20);
});

test('operator restart or change of leader: what runs is the least for a minute, and the rate is known at once', () => {
  const restarted = (second: number, freshFrom: number) => {
    let state: ScalingState = initialState;
    const counts: number[] = [];
    let last: Decision | undefined;
    for (let now = freshFrom; now <= second; now += 1) {
      const nowMs = at + now * 1_000;
      last = decide(state, observation(pods(9, nowMs, 20, { uptimeSeconds: 100 + now })), input(), nowMs);
      state = last.next;
      counts.push(last.replicas);
    }
    return { counts, last: last as Decision };
  };
  const { counts, last } = restarted(300, 0);
  expect(counts.slice(0, 60).every((count) => count === 9)).toBe(true);
  expect(last.replicas).toBeLessThan(9);
  expect(restarted(1, 0).last.why.inputs.arrivalRate60s).toBeCloseTo(20, 0);
});

test('API conflict or 429: what could not be written is decided again, and nobody else’s count is taken over', () => {
  const { next } = story(({ say }) => ({ pods: say(600, { counters: { arrivals: 1e6 } }) })).last;
  const wanted = next.replicas ?? 0;
  const seen = (replicas: number) =>
    observation(pods(3, at + 301_000, 600, { uptimeSeconds: 401 }), { replicas });
  expect(decide(next, seen(3), input(), at + 301_000).replicas).toBe(wanted);
  expect(decide(next, seen(70), input({ mode: 'External', fixedReplicas: 70 }), at + 301_000)).toMatchObject({
    replicas: 70,
    why: { reason: 'External' },
  });
});

test('zero traffic is not no data: a fresh 0 lowers the count, an absent figure does not', () => {
  const zero = story(({ say }) => ({ pods: say(0, { counters: { arrivals: 1e6 } }) }), 'random', 400);
  expect(zero.last.replicas).toBe(1);
  expect(zero.last.why.inputs.arrivalRate60s).toBe(0);
  const absent = story(({ replicas }) => ({
    pods: Array.from({ length: replicas }, (_, index) => silentPod(`pod-${index}`)),
  }));
  expect(absent.fell).toBe(false);
  expect(absent.last.why.inputs.arrivalRate60s).toBe('unknown');
});
