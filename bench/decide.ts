/** What one scaling decision costs at 200 replicas, against its limit of 1 ms: `npm run bench:decide`. */
import { decide, initialState } from '../operator/model/scaling/decide.ts';
import { input, observation, pod } from '../operator/model/scaling/testing/build.ts';
import { emptyWindow, measuredOf, observeWindow } from '../operator/model/scaling/window.ts';
import { parseReport } from '../operator/probe/report.ts';
import { geometricBounds } from '../stats/histogram.ts';

const replicas = 200;
const seconds = 120;
const limitUs = 1_000;
const boundsMs = geometricBounds(0.5, 60_000, 10 ** 0.1);

const spec = input({
  maxReplicas: 1_000,
  latency: [
    { percentile: 'p50', targetMs: 20 },
    { percentile: 'p95', targetMs: 50 },
    { percentile: 'p99', targetMs: 80 },
  ],
  requestsPerSecondPerReplica: 100,
});

/** Half of the pods have a new reading each second, as when each is asked each two seconds. */
const at = 1_000_000;
const observations = Array.from({ length: seconds }, (_, second) => {
  const nowMs = at + second * 1_000;
  return observation(
    Array.from({ length: replicas }, (_, index) => {
      const ageSeconds = (second + index) % 2;
      return pod(
        `pod-${index}`,
        nowMs,
        { rate: 30 + (index % 5), uptimeSeconds: 200 + second - ageSeconds, boundsMs },
        { ageMs: ageSeconds * 1_000 },
      );
    }),
  );
});

function quantiles(times: number[]): string {
  times.sort((one, other) => one - other);
  const at = (share: number) => Math.round(times[Math.floor(share * (times.length - 1))] ?? 0);
  return `p50 ${at(0.5)} µs, p99 ${at(0.99)} µs, max ${at(1)} µs`;
}

function measure(run: (second: number, nowMs: number) => void): number[] {
  return observations.map((_, second) => {
    const startMs = performance.now();
    run(second, at + second * 1_000);
    return (performance.now() - startMs) * 1_000;
  });
}

let worst = 0;
for (const balancing of ['random', 'least-outstanding'] as const) {
  let state = initialState;
  let last = 0;
  const run = (second: number, nowMs: number) => {
    const seen = observations[second];
    if (seen === undefined) return;
    const decision = decide(state, seen, { ...spec, balancing }, nowMs);
    state = decision.next;
    last = decision.replicas;
  };
  measure(run);
  state = initialState;
  const times = measure(run);
  const p50 = times.toSorted((one, other) => one - other)[Math.floor(times.length / 2)] ?? 0;
  worst = Math.max(worst, p50);
  console.log(`decide, ${replicas} replicas, ${balancing} (${last} wanted): ${quantiles(times)}`);
}

let window = emptyWindow;
const windowTimes = measure((second, nowMs) => {
  const pods = observations[second]?.pods ?? [];
  window = observeWindow(window, pods, 300_000, nowMs);
  measuredOf(window, pods, spec.latency, 300_000, nowMs);
});
console.log(`SLO window, ${replicas} replicas: ${quantiles(windowTimes)}`);

const states = Array.from({ length: replicas }, () => ({ state: initialState, window: emptyWindow }));
const fleetTimes = measure((second, nowMs) => {
  const pods = observations[second]?.pods ?? [];
  for (const [index, one] of states.entries()) {
    const mine = pods.slice(index, index + 1);
    one.state = decide(one.state, observation(mine), spec, nowMs).next;
    one.window = observeWindow(one.window, mine, 300_000, nowMs);
    measuredOf(one.window, mine, spec.latency, 300_000, nowMs);
  }
});
console.log(`one second of ${replicas} deployments of one replica, all of it: ${quantiles(fleetTimes)}`);

const reading = observations[0]?.pods[0]?.reading;
const body = reading === undefined || reading === 'unknown' ? '' : JSON.stringify(reading.report);
const parseTimes = measure(() => {
  parseReport(body);
});
console.log(`parse and check one report of ${body.length} bytes: ${quantiles(parseTimes)}`);

const ok = worst < limitUs;
console.log(`limit for decide ${limitUs} µs at the median: ${ok ? 'kept' : 'BROKEN'}`);
process.exitCode = ok ? 0 : 1;
