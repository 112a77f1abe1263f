/** Prints the tables and says what is met. */
import type { BalancingFigures, Way } from './balancing.ts';
import { ways } from './balancing.ts';
import type { HopCost } from './cost.ts';

/** Issue D: a hop costs at most so many times the CPU of a bare Node proxy. */
const mostTimesBare = 1.3;
/** Issue D: from the first request to the raised scale, milliseconds. */
const mostWakeMs = 50;

const shown = (value: number, width: number, digits = 0) => value.toFixed(digits).padStart(width);

/** Share of the time that a process may wait for a processor where its latencies are to be judged. */
export const mostWaited = 0.1;

/** True when it is met. */
export function judge(what: string, got: number, most: number): boolean {
  const isMet = got <= most;
  console.log(`  ${isMet ? 'MET   ' : 'MISSED'} ${what}: ${got.toFixed(2)}, at most ${most.toFixed(2)}`);
  return isMet;
}

/** The costs of one kind of request on every hop; true when the target is met. */
export function printCosts(title: string, costs: readonly HopCost[]): boolean {
  console.log(`\n${title}`);
  console.log('  hop          CPU µs (lowest–highest)   × bare proxy   requests/s   p50 ms');
  const of = (hop: string) => costs.find((one) => one.hop === hop)?.cpuMicros[0] ?? Number.NaN;
  const bare = of('bare proxy');
  for (const { hop, cpuMicros, requestsPerSecond, p50Ms } of costs) {
    const [median, lowest, highest] = cpuMicros;
    const isDirect = hop === 'direct';
    const cpu = isDirect ? '–' : `${median.toFixed(0)} (${lowest.toFixed(0)}–${highest.toFixed(0)})`;
    const times = isDirect ? '–' : (median / bare).toFixed(2);
    console.log(
      `  ${hop.padEnd(11)}${cpu.padStart(25)}${times.padStart(15)}${shown(requestsPerSecond, 13)}${shown(p50Ms, 9, 2)}`,
    );
  }
  return judge("CPU per request as a multiple of a bare Node proxy's", of('ballast') / bare, mostTimesBare);
}

/** From the first request to the raised scale; true when the target is met. */
export function printWake({
  models,
  medianMs,
  longestMs,
  waited,
}: {
  readonly models: number;
  readonly medianMs: number;
  readonly longestMs: number;
  readonly waited: number;
}): boolean {
  console.log(`\nFrom the first request to the raised scale, ${models} models, embedded API server`);
  console.log(`  median ${medianMs.toFixed(1)} ms, longest ${longestMs.toFixed(1)} ms`);
  if (waited < mostWaited) return judge('longest, ms', longestMs, mostWakeMs);
  console.log(
    `  waited ${Math.round(100 * waited)} % of the time for a processor: the longest is not judged`,
  );
  return judge('median, ms', medianMs, mostWakeMs);
}

/**
 * Times the p99 of one queue that several gateways may come to, and times the p99 of random that four of them may. What is known
 * of each other costs nothing here; telling each other every request within 1 ms would gain 5 % at two, 10 % at four (simulated).
 */
const mostTimesOne = { 2: 1.3, 4: 1.6 } as const;
const mostTimesRandom = 0.55;

/** p99 by way of balancing and utilisation; true when what is judged is met. */
export function printBalancing(
  title: string,
  figures: readonly BalancingFigures[],
  utilisations: readonly number[],
  meanMs: number,
  isJudged: boolean,
): boolean {
  console.log(`\n${title}`);
  console.log(`  way                  ${utilisations.map((one) => `at ${one}`.padStart(15)).join('')}`);
  const of = (way: Way, utilisation: number) =>
    figures.find((one) => one.way === way && one.utilisation === utilisation);
  for (const way of ways)
    console.log(
      `  ${way.padEnd(21)}${utilisations
        .map((utilisation) => {
          const one = of(way, utilisation);
          const lost = one === undefined || one.failed === 0 ? '' : ` ${one.failed} lost`;
          const times = (ms: number | undefined) => ((ms ?? Number.NaN) / meanMs).toFixed(2);
          return `${times(one?.p99Ms)} (${times(one?.p50Ms)})${lost}`.padStart(15);
        })
        .join('')}`,
    );
  if (!isJudged) return true;
  const p99 = (way: Way, utilisation: number) => of(way, utilisation)?.p99Ms ?? Number.NaN;
  const worst = (way: Way, other: Way) =>
    Math.max(...utilisations.map((utilisation) => p99(way, utilisation) / p99(other, utilisation)));
  return [
    judge(
      '1 gateway, times the p99 of least outstanding',
      worst('ballast, 1 gateway', 'least outstanding'),
      1,
    ),
    judge(
      '2 gateways, times the p99 of one queue',
      worst('ballast, 2 gateways', 'ballast, 1 gateway'),
      mostTimesOne[2],
    ),
    judge(
      '4 gateways, times the p99 of one queue',
      worst('ballast, 4 gateways', 'ballast, 1 gateway'),
      mostTimesOne[4],
    ),
    judge('4 gateways, times the p99 of random', worst('ballast, 4 gateways', 'random'), mostTimesRandom),
  ].every(Boolean);
}
