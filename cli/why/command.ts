/** `ballast why NAME`: reads one ModelDeployment and says why it has as many replicas as it has. */

import { existsSync } from 'node:fs';
import { delimiter } from 'node:path';
import { modelDeployments } from '../../crds/constants.ts';
import type { ModelDeployment } from '../../crds/types.ts';
import type { KubeApi } from '../../kube/api.ts';
import { loadAuth } from '../../kube/auth.ts';
import { createClient } from '../../kube/client.ts';
import { ApiError, isNotFound } from '../../kube/errors.ts';
import { messageOf } from '../../kube/log.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { kubeconfigPath } from '../load/config.ts';
import { namesNear } from '../near.ts';
import { optionErrorText } from '../option-error.ts';
import { explain, explanationOf } from './explain.ts';
import { parseWhyOptions, type WhyOptions, whyHelp } from './options.ts';

interface Output {
  write(text: string): unknown;
}

/** The ModelDeployment; throws a TypeError that names what is near when there is none. */
export async function findExplained(api: KubeApi, namespace: string, name: string): Promise<ModelDeployment> {
  try {
    const found = await api.get<KubeObject>(modelDeployments, { namespace, name });
    return found as unknown as ModelDeployment;
  } catch (error) {
    if (!isNotFound(error)) throw error;
    const missing = `there is no ModelDeployment "${name}" in namespace "${namespace}"`;
    // Who may read one object may not be allowed to list them, let alone all namespaces'.
    const list = async (where: { namespace?: string }) => {
      try {
        return (await api.list<KubeObject>(modelDeployments, where)).items;
      } catch {
        return undefined;
      }
    };
    const everywhere = (await list({})) ?? (await list({ namespace })) ?? [];
    const elsewhere = everywhere
      .filter(({ metadata }) => metadata.name === name && metadata.namespace !== namespace)
      .map(({ metadata }) => metadata.namespace ?? '');
    if (elsewhere.length > 0)
      throw new TypeError(`${missing}, but in ${elsewhere.slice(0, 3).join(', ')}: add -n ${elsewhere[0]}`);
    const here = everywhere
      .filter(({ metadata }) => metadata.namespace === namespace)
      .map(({ metadata }) => metadata.name ?? '');
    const near = namesNear(name, here);
    if (near.length > 0) throw new TypeError(`${missing}. Did you mean ${near.join(' or ')}?`);
    throw new TypeError(
      here.length === 0
        ? `${missing}, nor any other: kubectl get md -A shows all that you may see`
        : `${missing}. There are: ${here.slice(0, 10).join(', ')}${here.length > 10 ? ' and more' : ''}`,
    );
  }
}

async function tell(options: WhyOptions, out: Output, nowMs: number): Promise<void> {
  const kubeconfig = kubeconfigPath(options.kubeconfig);
  if (kubeconfig === undefined)
    throw new TypeError('no cluster to ask: "npm start" starts one; or name --kubeconfig FILE');
  if (!kubeconfig.split(delimiter).some((file) => existsSync(file)))
    throw new TypeError(
      `there is no kubeconfig ${kubeconfig} (--kubeconfig, else KUBECONFIG): "npm start" writes one`,
    );
  const auth = await loadAuth({ kubeconfig });
  const api = createClient(auth, { userAgent: 'ballast-why', connections: 2 });
  try {
    const deployment = await findExplained(api, options.namespace ?? api.namespace, options.name);
    out.write(
      options.json ? `${JSON.stringify(explanationOf(deployment), null, 2)}\n` : explain(deployment, nowMs),
    );
  } catch (error) {
    if (error instanceof ApiError && error.reason === 'ConnectionRefused')
      throw new TypeError(`no cluster answers at ${auth.server} (from ${kubeconfig}): does "npm start" run?`);
    throw error;
  } finally {
    await api.close();
  }
}

/** Runs the command; writes to `out` and resolves to the exit code. */
export async function whyCommand(
  args: string[],
  out: Output = process.stdout,
  wrong: Output = process.stderr,
): Promise<number> {
  let options: WhyOptions | 'help';
  try {
    options = parseWhyOptions(args);
  } catch (error) {
    wrong.write(`ballast why: ${optionErrorText(error)}\n"ballast why --help" tells the options.\n`);
    return 2;
  }
  if (options === 'help') {
    out.write(whyHelp);
    return 0;
  }
  try {
    await tell(options, out, Date.now());
    return 0;
  } catch (error) {
    wrong.write(`ballast why: ${messageOf(error)}\n`);
    return 1;
  }
}
