/**
 * `npm run test:models [-- NAME…]`: serves every model of the corpus, or those whose names hold one of the words, and
 * holds the pod's answers against those of Python's onnxruntime.
 */
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { buildBundles } from '../../local/bundles.ts';
import { checkModel, type Report } from './check-model.ts';
import { corpusOf } from './generate.ts';

const root = join(import.meta.dirname, '..', '..');
const stateDir = join(root, '.ballast');
const atOnce = 2;
const startedMs = performance.now();
const seconds = () => ((performance.now() - startedMs) / 1000).toFixed(0);

mkdirSync(stateDir, { recursive: true });
const words = process.argv.slice(2);
const { directory, missing } = corpusOf(stateDir, (line) => console.log(`${line} (${seconds()} s)`));
const bundles = await buildBundles(root, stateDir);
const program = join(bundles.directory, 'inference-pod.mjs');
const names = readdirSync(directory)
  .filter((name) => words.length === 0 || words.some((word) => name.includes(word)))
  .sort();

const reports: Report[] = [];
const left = [...names];
const work = async () => {
  for (let name = left.shift(); name !== undefined; name = left.shift())
    reports.push(await checkModel(join(directory, name), program));
};
await Promise.all(Array.from({ length: atOnce }, work));
reports.sort((a, b) => (a.name < b.name ? -1 : 1));

const bytesOf = (name: string) =>
  readdirSync(join(directory, name))
    .filter((file) => file !== 'model.json')
    .reduce((sum, file) => sum + statSync(join(directory, name, file)).size, 0);
const kilobytes = (name: string) => `${Math.max(1, Math.round(bytesOf(name) / 1024))} kB`;
const header = ['model', 'made by', 'size', 'inputs', 'outputs', 'rows', 'largest difference', 'batched'];
const table = [
  header,
  header.map(() => '---'),
  ...reports.map((report) => [
    report.name,
    report.madeBy,
    kilobytes(report.name),
    report.inputs,
    report.outputs,
    String(report.rowsChecked),
    report.largestDifference === 0 ? '0' : report.largestDifference.toExponential(1),
    report.batching,
  ]),
];
for (const row of table) console.log(`| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`);

const passed = reports.reduce((sum, report) => sum + report.passed, 0);
const failures = [...missing, ...reports.flatMap((report) => report.failures)];
for (const failure of failures) console.log(`FAILED  ${failure}`);
const refused = reports.filter(({ batching }) => batching.startsWith('refused')).length;
console.log(
  `${reports.length - refused} models served, ${refused} refused as they must be, in ${seconds()} s`,
);
console.log(`${passed} passed, ${failures.length} failed`);
process.exitCode = failures.length === 0 && passed > 0 ? 0 : 1;
