/** `ballast lint FILE…`: checks manifests offline, with the rules and words of the API server. */

import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { apiGroup, kind } from '../../crds/constants.ts';
import { manifestProblems, modelDeploymentSchema } from '../../crds/manifest-check.ts';
import type { ModelDeployment } from '../../crds/types.ts';
import { messageOf } from '../../kube/log.ts';
import { check } from '../../operator/model/check.ts';
import { objectsIn } from '../manifest-file.ts';
import { optionErrorText } from '../option-error.ts';
import { hintFor } from './hints.ts';

const help = `Usage: ballast lint FILE…

Checks every ModelDeployment in the YAML files, without a cluster: schema, bounds, CEL rules and unknown fields as
the API server judges them, then what only the operator sees. Of a folder all .yaml, .yml and .json files are read, of a
List all items. Other kinds are passed over. Exit code 0 when all are good, 1 when one is not, 2 when a file cannot be read.
`;

function readOptions(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: { help: { type: 'boolean', short: 'h' } },
    });
  } catch (error) {
    if (error instanceof TypeError) return optionErrorText(error);
    throw error;
  }
}

/** The files that are meant; of a folder those in it that `kubectl apply -f` would take. */
function filesOf(path: string): string[] {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return [path];
  return readdirSync(path)
    .filter((name) => /\.(?:ya?ml|json)$/.test(name))
    .sort()
    .map((name) => join(path, name));
}

/** A ModelDeployment, or what was meant to be one. */
function isOurs(document: unknown): boolean {
  const { apiVersion, kind: given } = (document ?? {}) as { apiVersion?: unknown; kind?: unknown };
  return given === kind || String(apiVersion).startsWith(`${apiGroup}/`);
}

/** Said where the schema refuses; a person has the errors to correct before their eyes. */
const isRemark = (problem: string) => problem.includes('some validation rules were not checked');

/** What the API server takes and the operator does not (`SpecInvalid`); which files an image brings is not known here. */
const operatorProblems = (manifest: unknown): string[] =>
  check(modelDeploymentSchema().applyDefaults(manifest) as ModelDeployment, {
    image: '',
    fileRoots: ['/'],
    bakeTimeMs: 0,
  }).map(({ field, message }) => `${field}: ${message}`);

/** Runs the command; writes to standard output and resolves to the exit code. */
export async function lintCommand(
  args: string[],
  out: { write(text: string): unknown } = process.stdout,
): Promise<number> {
  const options = readOptions(args);
  if (typeof options === 'string') {
    out.write(`ballast lint: ${options}\n\n${help}`);
    return 2;
  }
  const { values, positionals } = options;
  if (values.help === true || positionals.length === 0) {
    out.write(help);
    return values.help === true ? 0 : 2;
  }
  let worst = 0;
  const files = positionals.flatMap((path) => {
    const found = filesOf(path);
    if (found.length > 0) return found;
    out.write(`${path}: no .yaml, .yml or .json file in it\n`);
    worst = 2;
    return [];
  });
  for (const file of files) {
    let documents: unknown[];
    try {
      documents = objectsIn(file);
    } catch (error) {
      out.write(`${file}: cannot be read: ${messageOf(error)}\n`);
      worst = 2;
      continue;
    }
    const ours = documents.filter(isOurs);
    for (const document of ours) {
      const name = (document as { metadata?: { name?: string } }).metadata?.name ?? '(no name)';
      const byServer = manifestProblems(document);
      const told = byServer.length > 0 ? byServer : operatorProblems(document);
      const problems = told.filter((problem) => !isRemark(problem));
      out.write(
        `${file}: ${name}: ${problems.length === 0 ? 'good' : `${problems.length} problem${problems.length === 1 ? '' : 's'}`}\n`,
      );
      for (const problem of problems) {
        const hint = hintFor(problem);
        out.write(`  ${problem}\n${hint === undefined ? '' : `      ${hint}\n`}`);
      }
      if (told.length > problems.length) out.write('  and what only shows when these are mended\n');
      if (problems.length > 0) worst = Math.max(worst, 1);
    }
    if (ours.length === 0) out.write(`${file}: no ${kind} in it\n`);
  }
  return worst;
}
