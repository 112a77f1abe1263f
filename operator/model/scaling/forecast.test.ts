import { expect, test } from '@jest/globals';
import { advanceForecast, type Forecast, marginOf, plannedRate, rateAhead } from './forecast.ts';
import { emptyRing, merge } from './ring.ts';
import { seededRandom } from './testing/random.ts';

const startMs = 1_000_000;

/** Runs a rate through the forecast, a step each second, and says what was forecast for each later second. */
function run(rate: (second: number) => number, seconds: number, ahead = 25) {
  let ring = emptyRing;
  let forecast: Forecast | undefined;
  const planned: number[] = [];
  for (let second = 1; second <= seconds; second += 1) {
    const atMs = startMs + second * 1_000;
    ring = merge(ring, [
      { atMs, arrivals: rate(second), serviceCount: 0, serviceSumSeconds: 0, serviceSumSquares: 0 },
    ]);
    forecast = advanceForecast(forecast, ring, Math.floor(atMs / 1_000), ahead);
    planned.push(forecast === undefined ? Number.NaN : plannedRate(forecast, ahead, 1));
  }
  if (forecast === undefined) throw new Error('nothing was forecast');
  return { forecast, planned };
}

test('of a steady rate it is that rate, and nothing is added for errors that never were', () => {
  const { forecast, planned } = run(() => 40, 300);
  expect(rateAhead(forecast, 25)).toBeCloseTo(40, 6);
  expect(planned.at(-1)).toBeCloseTo(40, 6);
});

test('of a ramp it is ahead of the present rate, but not by more than half of it', () => {
  const { forecast } = run((second) => 10 + second / 2, 300);
  expect(rateAhead(forecast, 25)).toBeGreaterThan(160);
  expect(rateAhead(forecast, 25)).toBeLessThan(180);
  const cliff = run((second) => (second < 200 ? 1 : 50 * (second - 200)), 215).forecast;
  expect(rateAhead(cliff, 600)).toBeLessThanOrEqual(1.5 * cliff.level);
});

test('of a step it rests where the rate rests: its slope is not drawn on', () => {
  const after = (seconds: number) => run((second) => (second < 200 ? 50 : 150), 200 + seconds).forecast;
  for (const seconds of [25, 30, 35, 40, 60]) expect(rateAhead(after(seconds), 25)).toBeLessThan(160);
});

test('the margin for errors is exceeded by about a seventh of Poisson traffic', () => {
  const random = seededRandom(7);
  const arrivals = Array.from({ length: 1_300 }, () => random.poisson(100));
  const { forecast, planned } = run((second) => arrivals[second - 1] ?? 0, 1_300);
  expect(forecast.margin).toBeGreaterThan(0.2);
  expect(forecast.margin).toBeLessThan(1);
  let exceeded = 0;
  let seen = 0;
  for (let second = 300; second + 30 < arrivals.length; second += 5) {
    const mean = arrivals.slice(second + 20, second + 30).reduce((sum, count) => sum + count, 0) / 10;
    if (mean > (planned[second] ?? 0)) exceeded += 1;
    seen += 1;
  }
  expect(exceeded / seen).toBeGreaterThan(0.03);
  expect(exceeded / seen).toBeLessThan(0.2);
});

test('one burst among the errors counts for no more than three usual ones', () => {
  const errors = [...new Array<number>(30).fill(0.5), ...new Array<number>(10).fill(50)];
  expect(marginOf(errors)).toBeCloseTo(1.5, 9);
});

test('never below nothing, whatever fell', () => {
  const { forecast } = run((second) => (second < 100 ? 1_000 : 0), 140);
  expect(rateAhead(forecast, 600)).toBeGreaterThanOrEqual(0);
});

test('a gap in the figures starts it anew, and its known errors stay', () => {
  const { forecast } = run(() => 40, 300);
  const ring = merge(
    emptyRing,
    Array.from({ length: 60 }, (_, second) => ({
      atMs: startMs + 2_000_000 + second * 1_000,
      arrivals: 8,
      serviceCount: 0,
      serviceSumSeconds: 0,
      serviceSumSquares: 0,
    })),
  );
  const later = advanceForecast(forecast, ring, (startMs + 2_000_000) / 1_000 + 59, 25);
  expect(later?.errors.length).toBeGreaterThanOrEqual(forecast.errors.length);
  expect(later && rateAhead(later, 25)).toBeCloseTo(8, 6);
});
