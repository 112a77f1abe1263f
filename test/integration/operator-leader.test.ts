/** Two operators share the work of one; one that watches a namespace leaves the others alone. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { modelDeployments } from '../../crds/constants.ts';
import { loadAuth } from '../../kube/auth.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { resources } from '../../kube/resource.ts';
import { parseConfig } from '../../operator/config.ts';
import { type Operator, startOperator } from '../../operator/operator.ts';
import {
  condition,
  createModel,
  eventually,
  getModel,
  namespace,
  type OperatorBed,
  patchModel,
  startOperatorBed,
} from './operator-bed.ts';

let bed: OperatorBed;
const others: Operator[] = [];
const startAnother = async (...flags: string[]) => {
  const config = parseConfig(['--ops-host', '127.0.0.1', '--ops-port', '0', ...flags], {});
  const operator = await startOperator(config, {
    auth: await loadAuth({ kubeconfig: bed.cluster.kubeconfigPath }),
  });
  others.push(operator);
  return operator;
};
beforeAll(async () => {
  bed = await startOperatorBed({ flags: ['--leader-elect', 'true', '--identity', 'first'] });
}, 60_000);
afterAll(async () => {
  for (const operator of others) await operator.stop();
  await bed.close();
}, 60_000);

const writes = (operator: Operator) => operator.metrics.total('writes_total');

describe('two operators', () => {
  test('the second is ready and writes nothing, and takes over when the first ends', async () => {
    const second = await startAnother('--leader-elect', 'true', '--identity', 'second');
    await createModel(bed.api, 'wine');
    await condition(bed.api, 'wine', 'Ready', 'True');
    await eventually('the second has read everything', async () => {
      const answer = await fetch(`http://127.0.0.1:${second.opsPort}/readyz`);
      return answer.status === 200;
    });
    expect(writes(second)).toBe(0);
    await bed.operator.stop();
    const stoppedMs = performance.now();
    await second.whenRunning();
    expect(performance.now() - stoppedMs).toBeLessThan(5_000);
    await patchModel(bed.api, 'wine', { runtime: { threads: 2 } });
    await condition(bed.api, 'wine', 'Ready', 'True');
    expect((await getModel(bed.api, 'wine')).status?.rollout?.number).toBe(2);
    await second.stop();
  }, 40_000);

  test('one that watches a namespace sees no other', async () => {
    await bed.api.create(resources.namespaces, { metadata: { name: 'team' } });
    const team = await startAnother('--leader-elect', 'false', '--watch-namespaces', 'team');
    await team.whenRunning();
    await createModel(bed.api, 'elsewhere');
    await bed.api.create(modelDeployments, {
      apiVersion: 'ballast.dev/v1alpha1',
      kind: 'ModelDeployment',
      metadata: { name: 'ours', namespace: 'team' },
      spec: { model: { uri: 'file:///samples/wine/model.onnx' } },
    } as KubeObject);
    await eventually('ours is Ready', async () => {
      const model = await bed.api.get<Awaited<ReturnType<typeof getModel>>>(modelDeployments, {
        name: 'ours',
        namespace: 'team',
      });
      return model.status?.summary?.phase === 'Ready';
    });
    expect((await getModel(bed.api, 'elsewhere')).status?.conditions).toBeUndefined();
    expect(
      (await bed.api.list(resources.deployments, { namespace })).items.map(({ metadata }) => metadata.name),
    ).not.toContain('elsewhere');
  }, 40_000);
});
