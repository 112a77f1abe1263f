/** What helm makes of the chart as it lies here. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { provideTools } from '../local/tools.ts';

const root = join(import.meta.dirname, '..');

/** Prints of `helm` with these words, run at the checkout's root; undefined where there is no helm. */
export async function runHelm(words: readonly string[]): Promise<string | undefined> {
  const { helm } = await provideTools(join(root, '.ballast'));
  const run = spawnSync(helm, words, { cwd: root, encoding: 'utf8' });
  if (run.error !== undefined) return undefined;
  if (run.status !== 0) throw new Error(`helm ${words.join(' ')}: ${run.stderr}`);
  return run.stdout;
}
