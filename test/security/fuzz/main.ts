/** `npm run test:fuzz -- [--minutes N] [--seed N]`: fuzzes bodies and model files for so long. */
import { fuzzBodies } from './bodies.ts';
import { fuzzModels } from './models.ts';

const option = (name: string, otherwise: number) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : Number(process.argv[at + 1]);
};
const seed = option('seed', Date.now() % 1_000_000);
const forMs = option('minutes', 10) * 30_000;
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
