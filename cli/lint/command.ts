/** `ballast lint FILE…`: checks manifests offline, with the rules and words of the API server. */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { loadAll } from 'js-yaml';
import { kind } from '../../crds/constants.ts';
import { manifestProblems } from '../../crds/manifest-check.ts';
import { optionErrorText } from '../option-error.ts';

const help = `Usage: ballast lint FILE…

Checks every ModelDeployment in the YAML files, without a cluster: schema, bounds, CEL rules and unknown fields.
Other kinds are passed over. Exit code 0 when all are good, 1 when one is not, 2 when a file cannot be read.
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
  for (const file of positionals) {
    let documents: unknown[];
    try {
      documents = loadAll(readFileSync(file, 'utf8'));
    } catch (error) {
      out.write(`${file}: cannot be read: ${error instanceof Error ? error.message : String(error)}\n`);
      worst = 2;
      continue;
    }
    const ours = documents.filter((document) => (document as { kind?: unknown } | null)?.kind === kind);
    for (const document of ours) {
      const name = (document as { metadata?: { name?: string } }).metadata?.name ?? '(no name)';
      const problems = manifestProblems(document);
      out.write(
        `${file}: ${name}: ${problems.length === 0 ? 'good' : `${problems.length} problem${problems.length === 1 ? '' : 's'}`}\n`,
      );
      for (const problem of problems) out.write(`  ${problem}\n`);
      if (problems.length > 0) worst = Math.max(worst, 1);
    }
    if (ours.length === 0) out.write(`${file}: no ${kind} in it\n`);
  }
  return worst;
}
