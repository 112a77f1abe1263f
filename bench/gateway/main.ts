/** `npm run bench:gateway`: what the gateway costs per request, and what its way of balancing is worth. See README.md beside it. */
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { provideWrk } from '../pod/closed-loop.ts';
import { measureBalancing, type Way, ways } from './balancing.ts';
import { measureCost } from './cost.ts';

const help = `npm run bench:gateway -- [--rounds 5] [--seconds 3] [--connections 32] [--bodies 100,65536]
                         [--pods 8] [--service-ms 20] [--utilisations 0.6,0.8,0.9] [--load-seconds 8] [--no-cost] [--no-balancing]

CPU per request of the gateway beside a bare Node proxy, a bare TCP relay and no hop at all; then p99 under load of random,
round robin, least outstanding and the gateway with 1, 2 and 4 replicas, in front of stub pods with a known service time.
Says MET or MISSED. The default takes under 5 minutes. Needs Linux with two cores, and wrk.`;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    connections: { type: 'string', default: '32' },
    bodies: { type: 'string', default: '100,65536' },
    pods: { type: 'string', default: '8' },
    'service-ms': { type: 'string', default: '20' },
    utilisations: { type: 'string', default: '0.6,0.8,0.9' },
    'load-seconds': { type: 'string', default: '8' },
    'no-cost': { type: 'boolean', default: false },
    'no-balancing': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(help);
  process.exit(0);
}

const say = (line: string) => process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);
const numbers = (text: string) => text.split(',').map(Number);
/** DESIGN §4 and issue D: a hop costs at most so many times the CPU of a bare Node proxy. */
const mostTimesBare = 1.3;
let isMissed = false;
const judge = (what: string, got: number, most: number) => {
  const isMet = got <= most;
  isMissed ||= !isMet;
  console.log(`  ${isMet ? 'MET   ' : 'MISSED'} ${what}: ${got.toFixed(2)}, at most ${most.toFixed(2)}`);
};
const shown = (value: number, width: number, digits = 0) => value.toFixed(digits).padStart(width);

console.log(`load average at the start ${(loadavg()[0] ?? 0).toFixed(1)}`);

if (!values['no-cost']) {
  provideWrk(say);
  const bodyBytes = numbers(values.bodies);
  const costs = await measureCost({
    rounds: Number(values.rounds),
    seconds: Number(values.seconds),
    connections: Number(values.connections),
    bodyBytes,
    say,
  });
  for (const bytes of bodyBytes) {
    console.log(
      `\nCPU of the hop per request, ${bytes} bytes in, ${values.connections} connections, median of ${values.rounds} rounds`,
    );
    console.log('  hop          CPU µs (lowest–highest)   × bare proxy   requests/s   p50 ms');
    const of = costs.filter((one) => one.bodyBytes === bytes);
    const bare = of.find(({ hop }) => hop === 'bare proxy')?.cpuMicros[0] ?? 0;
    for (const { hop, cpuMicros, requestsPerSecond, p50Ms } of of) {
      const [median, lowest, highest] = cpuMicros;
      const cpu =
        hop === 'direct'
          ? '–'.padStart(26)
          : `${shown(median, 10)} (${lowest.toFixed(0)}–${highest.toFixed(0)})`;
      const times = hop === 'direct' ? '–'.padStart(15) : shown(median / bare, 15, 2);
      console.log(
        `  ${hop.padEnd(11)}${cpu.padEnd(27)}${times}${shown(requestsPerSecond, 13)}${shown(p50Ms, 9, 2)}`,
      );
    }
    const ours = of.find(({ hop }) => hop === 'ballast')?.cpuMicros[0] ?? Number.POSITIVE_INFINITY;
    judge(`CPU per request as a multiple of a bare Node proxy's, ${bytes} bytes`, ours / bare, mostTimesBare);
  }
}

if (!values['no-balancing']) {
  const meanMs = Number(values['service-ms']);
  const utilisations = numbers(values.utilisations);
  const figures = await measureBalancing({
    pods: Number(values.pods),
    meanMs,
    utilisations,
    seconds: Number(values['load-seconds']),
    say,
  });
  console.log(
    `\np99 (p50) as multiples of the mean service time: ${values.pods} stub pods of ${meanMs} ms, gamma, cs² 0.25, Poisson arrivals`,
  );
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
  for (const utilisation of utilisations) {
    const central = of('ballast, 1 gateway', utilisation)?.p99Ms ?? Number.NaN;
    const two = of('ballast, 2 gateways', utilisation)?.p99Ms ?? Number.POSITIVE_INFINITY;
    console.log(
      `  at ${utilisation}: 2 gateways come to ${(two / central).toFixed(2)} times the p99 of the central queue`,
    );
  }
}
process.exitCode = isMissed ? 1 : 0;
