/** What `ballast load` takes from its surroundings. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

export const checkout = join(import.meta.dirname, '../..');

/** The kubeconfig to ask for the model: the one named, else `KUBECONFIG`, else that of the embedded cluster. */
export function kubeconfigPath(named: string | undefined): string | undefined {
  if (named !== undefined) return named;
  const fromEnvironment = process.env.KUBECONFIG;
  if (fromEnvironment !== undefined && fromEnvironment !== '') return fromEnvironment;
  const embedded = join(checkout, '.ballast/kubeconfig');
  return existsSync(embedded) ? embedded : undefined;
}
