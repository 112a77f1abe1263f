/**
 * `npm run test:prepare -- clients | debian | kube`: what the longer suites need of other people's packages, fetched and built
 * ahead. They do it themselves where it is missing; `.ci/run` has it done beside suites that mostly wait.
 */
import { join } from 'node:path';
import prepareChromium from './browser/chromium.ts';
import { clientsPython } from './clients/environment.ts';
import { buildBinary, buildTool, suiteTools } from './kube/build.ts';
import { missingForNodes, needForNodes } from './kube/packages.ts';

const say = (line: string) => console.log(line);
const preparations: Readonly<Record<string, () => void>> = {
  clients: () => void clientsPython(join(import.meta.dirname, '../.ballast')),
  debian() {
    prepareChromium();
    if (missingForNodes() === undefined) needForNodes(say);
  },
  kube() {
    buildBinary(say);
    for (const tool of suiteTools) buildTool(tool, say);
  },
};

const prepare = preparations[process.argv[2] ?? ''];
if (prepare === undefined) {
  console.error(`usage: test/prepare.ts ${Object.keys(preparations).join(' | ')}`);
  process.exitCode = 2;
} else {
  const startMs = performance.now();
  prepare();
  say(`${process.argv[2]} is prepared, after ${Math.round((performance.now() - startMs) / 1_000)} s`);
}
