/** `npm run test:fuzz -- [--minutes N] [--seed N]`: fuzzes bodies and model files for so long, with a new seed each time. */
import { parseArgs } from 'node:util';
import { fuzzBodies } from './bodies.ts';
import { fuzzModels } from './models.ts';

const { values } = parseArgs({ options: { minutes: { type: 'string' }, seed: { type: 'string' } } });
const numberOf = (name: 'minutes' | 'seed', otherwise: number) => {
  const given = values[name];
  const number = given === undefined ? otherwise : Number(given);
  if (!(number >= 0)) throw new TypeError(`--${name} must be a number, not '${given}'`);
  return number;
};
const seed = numberOf('seed', Date.now() % 1_000_000);
const forMs = numberOf('minutes', 10) * 30_000;
console.log(`seed ${seed}`);
let failed = 0;
for (const [what, result] of [
  ['requests', await fuzzBodies(seed, forMs)],
  ['models', await fuzzModels(seed, forMs, Number.POSITIVE_INFINITY)],
] as const) {
  const statuses = Object.entries(result.statuses)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([status, n]) => `${status} ×${n}`);
  console.log(`${result.requests} ${what}: ${statuses.join(', ')}; ${Math.round(result.peakMb)} MB`);
  for (const problem of result.problems) console.log(`  ${problem}`);
  failed += result.problems.length;
}
console.log(failed === 0 ? 'all held' : `${failed} problems; seed ${seed} makes them again`);
process.exitCode = failed === 0 ? 0 : 1;
