/** The unmodified operator on the server under test, pods that run when the test lets them, and real kubectl and helm. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { loadAuth } from '../../kube/auth.ts';
import type { ToolsVersion } from '../../local/tools.ts';
import { parseConfig } from '../../operator/config.ts';
import { type Operator, startOperator } from '../../operator/operator.ts';
import type { Body } from '../conformance/support/client.ts';
import type { CustomDefinition } from '../conformance/support/cluster.ts';
import { type Bed, openBed } from '../conformance/support/kubectl-bed.ts';
import { at } from '../conformance/support/words.ts';
import { type RunningKubelet, runKubelet } from '../kube/kubelet.ts';
import { operatorFlags } from '../operator-flags.ts';

export interface Ground extends Bed {
  /** Path of the ModelDeployments of the test's namespace. */
  readonly models: string;
  readonly kubelet: RunningKubelet;
  /** While true, no pod becomes ready. */
  hold(holds: boolean): Promise<void>;
  model(name: string): Promise<Body>;
  untilPhase(name: string, phase: string): Promise<Body>;
  start(): Promise<void>;
}

const root = join(import.meta.dirname, '../..');
/** The image of a revision that never starts. */
export const missingImage = 'example.test/missing:1';

/** Opens it; the test calls `start` before all. */
export async function openGround(version: ToolsVersion): Promise<Ground> {
  const bed = await openBed(version);
  const { api } = bed;
  const definition = load(readFileSync(join(root, 'crds/generated/modeldeployment.crd.yaml'), 'utf8'));
  const models = await api.install(definition as CustomDefinition);
  let holding = false;
  const kubelet = await runKubelet(api, {
    isMissing: (image) => image === missingImage,
    holds: () => holding,
  });
  let operator: Operator | undefined;
  const model = async (name: string) => (await api.get(`${models}/${name}`)).body;
  api.atEnd(async () => {
    for (const { metadata } of (await api.get(models)).body.items ?? [])
      await api.mergePatch(`${models}/${metadata.name}`, { metadata: { finalizers: null } });
    kubelet.stop();
    await operator?.stop();
  });
  return {
    ...bed,
    models,
    kubelet,
    model,
    async hold(holds) {
      holding = holds;
      if (!holds) await kubelet.lookAgain();
    },
    async untilPhase(name, phase) {
      const { body } = await api.eventually(
        () => api.get(`${models}/${name}`),
        (answer) =>
          at(answer.body, 'status.summary.phase') === phase &&
          at(answer.body, 'status.observedGeneration') === answer.body.metadata.generation,
      );
      return body;
    },
    async start() {
      const scope = ['--watch-namespaces', api.namespace];
      operator = await startOperator(parseConfig([...operatorFlags, ...scope], {}), {
        auth: await loadAuth({ kubeconfig: bed.file('operator-kubeconfig', api.kubeconfig()) }),
      });
      await operator.whenRunning();
    },
  };
}
