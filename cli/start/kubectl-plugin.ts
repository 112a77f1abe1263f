/** `kubectl ballast …`: the command line of this checkout as a plugin, which kubectl finds by its name on the PATH. */
import { chmod, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

/** Writes `kubectl-ballast` into a folder and returns its path; it runs the `cli/` of a checkout with the Node of this process. */
export async function writeKubectlPlugin(folder: string, checkout: string): Promise<string> {
  const path = join(folder, 'kubectl-ballast');
  // Renamed into place, so that nobody ever runs half a file.
  const partial = `${path}.${process.pid}`;
  const main = join(checkout, 'cli', 'main.ts');
  await writeFile(partial, `#!/bin/sh\nexec ${quoted(process.execPath)} ${quoted(main)} "$@"\n`);
  await chmod(partial, 0o755);
  await rename(partial, path);
  return path;
}
