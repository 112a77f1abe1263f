/** `npm run check`: types, lint and format, import rules, freshness of generated files. Each prints one line. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const bin = (name: string) => join(root, 'node_modules/.bin', name);
const steps: [name: string, command: string, args: string[]][] = [
  ['types', bin('tsc'), ['-p', '.']],
  ['lint and format', bin('biome'), ['check', '--error-on-warnings', '.']],
  ['import rules and file sizes', process.execPath, [join(root, 'scripts/layers.ts')]],
  ['generated files are fresh', process.execPath, [join(root, 'scripts/generate.ts'), '--check']],
];

let failures = 0;
for (const [name, command, args] of steps) {
  const started = performance.now();
  const run = spawnSync(command, args, { cwd: root, encoding: 'utf8' });
  const ok = run.status === 0;
  if (!ok) failures += 1;
  console.log(`${ok ? 'ok    ' : 'FAILED'} ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
  if (!ok) console.log(`${run.stdout ?? ''}${run.stderr ?? ''}`);
}
process.exitCode = failures === 0 ? 0 : 1;
