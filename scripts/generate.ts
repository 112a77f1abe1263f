/** Writes every generated file; with `--check` it writes nothing and fails where one is stale. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

const root = join(import.meta.dirname, '..');
const { generatedFiles } = (await import('../crds/generate.ts')) as {
  generatedFiles: () => Record<string, string>;
};
const check = process.argv.includes('--check');
const stale: string[] = [];
for (const [path, text] of Object.entries(generatedFiles())) {
  const file = join(root, path);
  let old: string | undefined;
  try {
    old = readFileSync(file, 'utf8');
  } catch {
    old = undefined;
  }
  if (old === text) continue;
  stale.push(relative(root, file));
  if (!check) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}
for (const file of stale) console.log(check ? `${file} is stale: run "npm run generate"` : `wrote ${file}`);
process.exitCode = check && stale.length > 0 ? 1 : 0;
