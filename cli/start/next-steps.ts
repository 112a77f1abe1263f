/** What to type in a second terminal. */
import { relative } from 'node:path';
import type { Narrator } from './narrator.ts';

export interface NextSteps {
  readonly narrator: Narrator;
  readonly checkout: string;
  readonly kubeconfigPath: string;
  /** Where kubectl and helm are; undefined when they are the user's own. */
  readonly binDir: string | undefined;
  /** Address for predictions; undefined when no model was asked for. */
  readonly inferUrl?: string;
  readonly commands: readonly string[];
}

/** Prints where things are and the commands to try. */
export function tellNextSteps({
  narrator,
  checkout,
  kubeconfigPath,
  binDir,
  inferUrl,
  commands,
}: NextSteps): void {
  const here = (path: string) => relative(checkout, path);
  narrator.line(`  kubeconfig  ${here(kubeconfigPath)}`);
  if (inferUrl !== undefined) narrator.line(`  model       ${inferUrl}`);
  narrator.line();
  narrator.line('  Try, in a second terminal, in this folder:');
  narrator.line();
  const path = binDir === undefined ? '' : ` PATH=$PWD/${here(binDir)}:$PATH`;
  narrator.line(`    export KUBECONFIG=$PWD/${here(kubeconfigPath)}${path}`);
  for (const command of commands) narrator.line(`    ${command}`);
  narrator.line();
}
