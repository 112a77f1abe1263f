/** `npm run bench:pod`: the inference pod beside its limits and its peers, in one run, one core each. See README.md beside it. */

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildBundles } from '../../local/bundles.ts';
import { provideWrk } from './closed-loop.ts';
import { contendersOf } from './contenders.ts';
import { measureModel } from './measure.ts';
import { modelNames } from './models.ts';
import { wholeNumber } from './options.ts';
import { overloadVerdicts } from './overload.ts';
import { printModel, printOverload } from './report.ts';
import { verdicts } from './targets.ts';

const help = `npm run bench:pod -- [--models tiny,small,…] [--servers ballast,triton,…] [--connections 1,32]
                     [--rounds 5] [--seconds 3] [--full] [--no-overload]

Measures the inference pod, onnxruntime alone, a constant answer, and other model servers in turn, each on one core, and
says MET or MISSED beside every target. Models: ${modelNames.join(', ')}. The default takes about 25 minutes; --full adds
8 connections, FastAPI, LitServe and BentoML. Needs Linux with two cores, Python 3.11 and, the first time, the Python
packages of the peers (about 3 GB in .ballast/venv) and wrk, which root gets from Debian's packages.`;

const { values } = parseArgs({
  options: {
    models: { type: 'string' },
    servers: { type: 'string' },
    connections: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    full: { type: 'boolean', default: false },
    'no-overload': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(help);
  process.exit(0);
}

const list = (text: string | undefined, otherwise: readonly string[]) => text?.split(',') ?? otherwise;
const few = ['constant', 'ballast', 'triton', 'kserve', 'mlserver'];
const names = list(values.servers, values.full ? [...few, 'fastapi', 'litserve', 'bentoml'] : few);
const connections = list(values.connections, values.full ? ['1', '8', '32'] : ['1', '32']).map((text) =>
  wholeNumber('connections', text),
);
const rounds = wholeNumber('rounds', values.rounds);
const seconds = wholeNumber('seconds', values.seconds);

const root = join(import.meta.dirname, '../..');
const stateDir = join(root, '.ballast');
mkdirSync(stateDir, { recursive: true });
const directory = mkdtempSync(join(stateDir, 'bench-pod-'));
const say = (line: string) => process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);
let isMissed = false;
try {
  provideWrk(say);
  const bundles = await buildBundles(root, stateDir);
  const all = contendersOf({ bundles, stateDir, say });
  const contenders = names.map((name) => {
    const contender = all.get(name);
    if (contender === undefined)
      throw new Error(`there is no server '${name}': ${[...all.keys()].join(', ')}`);
    contender.provide();
    return contender;
  });
  console.log(
    `${rounds} rounds of ${seconds} s; medians, and the spread as (lowest–highest); load average at the start ${(loadavg()[0] ?? 0).toFixed(1)}`,
  );
  for (const name of list(values.models, modelNames)) {
    const measured = await measureModel({
      ...{ name, contenders, connections, rounds, seconds, directory, stateDir, say },
      withOverload: !values['no-overload'],
    });
    printModel(measured);
    const judged = verdicts(measured.results);
    if (measured.overload.length > 0) {
      printOverload(measured.overload);
      judged.push(...overloadVerdicts(measured.overload));
    }
    for (const { what, got, wanted, isMet } of judged) {
      isMissed ||= !isMet;
      const number = (value: number) => value.toFixed(value < 100 ? 2 : 0);
      console.log(`  ${isMet ? 'MET   ' : 'MISSED'} ${what}: ${number(got)}, wanted ${number(wanted)}`);
    }
  }
  process.exitCode = isMissed ? 1 : 0;
} finally {
  rmSync(directory, { recursive: true, force: true });
}
