/** `npm run bench:gateway`: what the gateway costs per request, and what its way of balancing is worth. Its figures: docs/explanation/gateway.md. */
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { provideWrk } from '../pod/closed-loop.ts';
import { measureBalancing } from './balancing.ts';
import { measureCost } from './cost.ts';
import { measureGrpcCost } from './grpc-cost.ts';
import { mostWaited, printBalancing, printCosts, printWake } from './report.ts';
import { simulateBalancing } from './simulated.ts';
import { measureWake } from './wake.ts';

const help = `npm run bench:gateway -- [--rounds 5] [--seconds 2] [--connections 32] [--bodies 100,65536]
                         [--pods 8] [--simulated-pods 8,16,32] [--service-ms 20] [--utilisations 0.6,0.8,0.9] [--load-seconds 6]
                         [--no-cost] [--no-wake] [--no-balancing]

CPU per request of the gateway beside a bare Node proxy, a bare TCP relay and no hop at all, over HTTP/1.1 and gRPC; the time
from a sleeping model's first request to its raised scale; then p99 under load of random, round robin, least outstanding and
the gateway with 1, 2 and 4 replicas, first simulated (the gateway's own code on a clock of its own: the same figures on every
machine), then measured in front of stub pods with a known service time. Says MET or MISSED. The default takes about
6 minutes. Needs Linux with two cores, and wrk.`;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    connections: { type: 'string', default: '32' },
    bodies: { type: 'string', default: '100,65536' },
    pods: { type: 'string', default: '8' },
    'simulated-pods': { type: 'string', default: '8,16,32' },
    'service-ms': { type: 'string', default: '20' },
    utilisations: { type: 'string', default: '0.6,0.8,0.9' },
    'load-seconds': { type: 'string', default: '6' },
    'no-cost': { type: 'boolean', default: false },
    'no-wake': { type: 'boolean', default: false },
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
const verdicts: boolean[] = [];

console.log(`load average at the start ${(loadavg()[0] ?? 0).toFixed(1)}`);

if (!values['no-cost']) {
  provideWrk(say);
  const bodyBytes = numbers(values.bodies);
  const rounds = Number(values.rounds);
  const seconds = Number(values.seconds);
  const connections = Number(values.connections);
  const costs = await measureCost({ rounds, seconds, connections, bodyBytes, say });
  for (const bytes of bodyBytes)
    verdicts.push(
      printCosts(
        `CPU of the hop per request, HTTP/1.1, ${bytes} bytes in, ${connections} connections, median of ${rounds} rounds`,
        costs.filter((one) => one.bodyBytes === bytes),
      ),
    );
  const grpc = await measureGrpcCost({ rounds, seconds, streams: connections, bodyBytes: 100, say });
  verdicts.push(
    printCosts(`The same over gRPC, 100 bytes in, ${connections} streams on 4 connections`, grpc),
  );
}

if (!values['no-wake']) verdicts.push(printWake(await measureWake(20)));

if (!values['no-balancing']) {
  const meanMs = Number(values['service-ms']);
  const utilisations = numbers(values.utilisations);
  for (const pods of numbers(values['simulated-pods'])) {
    say(`balancing: simulated with ${pods} pods`);
    verdicts.push(
      printBalancing(
        `Simulated: p99 (p50) as multiples of the mean service time, ${pods} pods, gamma, cs² 0.25, Poisson arrivals`,
        await simulateBalancing({ pods, meanMs, utilisations, requests: 40_000, seed: 7 }),
        utilisations,
        meanMs,
        true,
      ),
    );
  }
  const figures = await measureBalancing({
    pods: Number(values.pods),
    meanMs,
    utilisations,
    seconds: Number(values['load-seconds']),
    say,
  });
  const waited = Math.max(...figures.map((one) => one.waited));
  const isQuiet = waited < mostWaited;
  verdicts.push(
    printBalancing(
      `Measured: the same with ${values.pods} stub pods of ${meanMs} ms over the network${isQuiet ? '' : `; a hop waited ${Math.round(100 * waited)} % of the time for its core, so this is not judged`}`,
      figures,
      utilisations,
      meanMs,
      isQuiet,
    ),
  );
}
process.exitCode = verdicts.every(Boolean) ? 0 : 1;
