/** What a user sees: objects applied, edited and deleted, against the embedded cluster and the unmodified operator. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { whyCommand } from '../../cli/why/command.ts';
import { modelDeployments } from '../../crds/constants.ts';
import type { ConfigMap, Deployment, KubeEvent, Pod, Service } from '../../kube/objects.ts';
import { resources } from '../../kube/resource.ts';
import {
  childrenOf,
  condition,
  createModel,
  eventually,
  getModel,
  namespace,
  type OperatorBed,
  patchModel,
  startOperatorBed,
} from './operator-bed.ts';

const sha256 = 'ab'.repeat(32);
const uriOf = (pod: Pod) =>
  pod.spec.initContainers?.[0]?.env?.find((item) => item.name === 'BALLAST_MODEL_URI')?.value ?? '';

let bed: OperatorBed;
beforeAll(async () => {
  bed = await startOperatorBed({
    // Revisions whose model is called `never` stay unready for longer than any test.
    readyAfterMs: (pod) => (uriOf(pod).includes('never') ? 3_600_000 : 20),
    initMessage: (pod) => JSON.stringify({ sha256, bytes: 1, uri: uriOf(pod) }),
  });
}, 60_000);
afterAll(() => bed.close(), 60_000);

const events = async (name: string, reason: string) =>
  (await bed.api.list<KubeEvent>(resources.events, { namespace })).items.filter(
    (event) => event.involvedObject.name === name && event.reason === reason,
  );
const writes = () => bed.operator.metrics.total('writes_total');

describe('a ModelDeployment', () => {
  test('becomes pods, Services, a budget, and says Ready', async () => {
    await createModel(bed.api, 'wine', { sla: { latency: { p95: '50ms' } }, scaling: { minReplicas: 2 } });
    const { model } = await condition(bed.api, 'wine', 'Ready', 'True', 'UpToDate');
    const revision = model.status?.stable?.revision ?? '';
    expect(model.status).toMatchObject({
      readyReplicas: 2,
      url: 'http://wine.default.svc:8080',
      summary: { ready: '2/2', phase: 'Ready' },
      stable: { revision, sha256, readyReplicas: 2 },
      rollout: { number: 1 },
    });
    expect(await childrenOf(bed.api, resources.controllerRevisions, 'wine')).toHaveLength(1);
    const [config] = await childrenOf<ConfigMap>(bed.api, resources.configMaps, 'wine');
    expect(JSON.parse(config?.data?.['config.json'] ?? '')).toEqual({
      version: 1,
      timeoutMs: 1_000,
      slaLatencyMs: [50],
      digests: { [revision]: sha256 },
    });
    const services = await childrenOf<Service>(bed.api, resources.services, 'wine');
    expect(services.map((service) => service.metadata.name).sort()).toEqual(['wine', `wine-${revision}`]);
    expect(await childrenOf(bed.api, resources.podDisruptionBudgets, 'wine')).toHaveLength(1);
    expect(await childrenOf(bed.api, resources.networkPolicies, 'wine')).toHaveLength(0);
  });

  test('at rest costs no write, and a new operator process finds nothing to do', async () => {
    await condition(bed.api, 'wine', 'Ready', 'True');
    const before = (await getModel(bed.api, 'wine')).metadata.resourceVersion;
    await bed.restartOperator(['--image', 'ballast/inference-pod:9.9.9']);
    // One reconcile is enough for what is settled; hearing the pods asks for no other.
    await eventually('a reconcile', () => bed.operator.metrics.total('reconciles_total') >= 1);
    await eventually('the pods were heard', () => {
      bed.operator.metrics.snapshot();
      return bed.operator.metrics.total('probe_pulls_total') >= 1;
    });
    const writesOfChildren = bed.operator.metrics
      .snapshot()
      .filter(({ name, labels }) => name === 'writes_total' && labels.verb !== 'apply status');
    expect(writesOfChildren).toEqual([]);
    const pods = await childrenOf<Pod>(bed.api, resources.pods, 'wine');
    expect(pods.map((pod) => pod.spec.containers[0]?.image)).toEqual(
      pods.map(() => 'ballast/inference-pod:0.1.0'),
    );
    expect(before).toBeDefined();
  });

  test('takes live settings without a new pod', async () => {
    const pods = (await childrenOf<Pod>(bed.api, resources.pods, 'wine'))
      .map((pod) => pod.metadata.uid)
      .sort();
    await patchModel(bed.api, 'wine', { traffic: { timeout: '3s' } });
    await eventually('the new timeout', async () => {
      const [config] = await childrenOf<ConfigMap>(bed.api, resources.configMaps, 'wine');
      return JSON.parse(config?.data?.['config.json'] ?? '{}').timeoutMs === 3_000;
    });
    await condition(bed.api, 'wine', 'Ready', 'True');
    const after = (await childrenOf<Pod>(bed.api, resources.pods, 'wine'))
      .map((pod) => pod.metadata.uid)
      .sort();
    expect(after).toEqual(pods);
  });

  test('puts hand edits back, with one event each', async () => {
    const [deployment] = await childrenOf<Deployment>(bed.api, resources.deployments, 'wine');
    const name = deployment?.metadata.name ?? '';
    const edit = (patch: unknown) =>
      bed.api.patch<Deployment>(resources.deployments, { name, namespace }, patch, {
        patchType: 'application/merge-patch+json',
        fieldManager: 'kubectl-edit',
      });
    await edit({ spec: { replicas: 7 } });
    await eventually('replicas are back', async () => {
      const live = await bed.api.get<Deployment>(resources.deployments, { name, namespace });
      return live.spec.replicas === 2;
    });
    await bed.api.patch(
      resources.services,
      { name: 'wine', namespace },
      { spec: { selector: { 'ballast.dev/role': 'nobody' } }, metadata: { annotations: { mine: 'stays' } } },
      { patchType: 'application/merge-patch+json' },
    );
    const service = await eventually('the selector is back', async () => {
      const live = await bed.api.get<Service>(resources.services, { name: 'wine', namespace });
      return live.spec.selector?.['ballast.dev/role'] === 'serving' && live;
    });
    expect(service.metadata.annotations?.mine).toBe('stays');
    await bed.api.delete(resources.configMaps, { name: 'wine-config', namespace });
    await eventually('the ConfigMap is back', () =>
      bed.api.get(resources.configMaps, { name: 'wine-config', namespace }),
    );
    const restored = await eventually('two events', async () => {
      const found = await events('wine', 'ChildRestored');
      return found.length >= 2 && found;
    });
    expect(restored.map(({ count = 1 }) => count)).toEqual([1, 1]);
    expect(restored.map((event) => event.message).join(' ')).toMatch(/spec\.replicas.*spec\.selector/);
    await condition(bed.api, 'wine', 'Ready', 'True');
  });

  test('rolls a new revision out and never has fewer ready pods than needed', async () => {
    const ready = async () =>
      (await childrenOf<Pod>(bed.api, resources.pods, 'wine')).filter(
        (pod) =>
          pod.metadata.deletionTimestamp === undefined &&
          pod.status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True'),
      ).length;
    await patchModel(bed.api, 'wine', { runtime: { threads: 2 } });
    let least = Number.POSITIVE_INFINITY;
    const { model } = await eventually('the rollout ends', async () => {
      least = Math.min(least, await ready());
      const now = await getModel(bed.api, 'wine');
      const done =
        now.status?.observedGeneration === now.metadata.generation &&
        now.status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True');
      return done ? { model: now } : undefined;
    });
    expect(least).toBeGreaterThanOrEqual(2);
    expect(model.status?.rollout?.number).toBe(2);
    await eventually('the old Deployment is deleted', async () => {
      const left = await childrenOf(bed.api, resources.deployments, 'wine');
      return left.length === 1;
    });
    expect(await childrenOf(bed.api, resources.controllerRevisions, 'wine')).toHaveLength(2);
  });

  test('keeps serving when a new revision does not come up, and says why', async () => {
    const stable = (await getModel(bed.api, 'wine')).status?.stable?.revision;
    await patchModel(bed.api, 'wine', {
      model: { uri: 'file:///samples/never/model.onnx' },
      rollout: { progressDeadline: '10s' },
    });
    const { model } = await condition(bed.api, 'wine', 'Stalled', 'True', 'ProgressDeadlineExceeded');
    expect(model.status?.conditions?.find((one) => one.type === 'Available')?.status).toBe('True');
    expect(model.status?.conditions?.find((one) => one.type === 'Ready')?.status).toBe('False');
    expect(model.status).toMatchObject({ stable: { revision: stable, readyReplicas: 2 } });
    expect(model.status?.summary?.phase).toBe('Degraded');
    await patchModel(bed.api, 'wine', { model: { uri: 'file:///samples/wine/model.onnx' } });
    const back = await condition(bed.api, 'wine', 'Ready', 'True');
    expect(back.model.status?.stable?.revision).toBe(stable);
  }, 40_000);

  test('that passes the schema but cannot be served names the field, and the good revision stays', async () => {
    await patchModel(bed.api, 'wine', { model: { uri: 'file:///etc/passwd' } });
    const { message, model } = await condition(bed.api, 'wine', 'Ready', 'False', 'SpecInvalid');
    expect(message).toMatch(/^spec\.model\.uri: "file:\/\/\/etc\/passwd" is not in the pod image/);
    expect(model.status?.readyReplicas).toBe(2);
    await patchModel(bed.api, 'wine', { model: { uri: 'file:///samples/wine/model.onnx' } });
    await condition(bed.api, 'wine', 'Ready', 'True');
  });

  test('suspended has no pods; resumed it has them again', async () => {
    await patchModel(bed.api, 'wine', { suspend: true });
    await condition(bed.api, 'wine', 'Available', 'False', 'Suspended');
    await eventually('no pods', async () => (await childrenOf(bed.api, resources.pods, 'wine')).length === 0);
    await patchModel(bed.api, 'wine', { suspend: null });
    await condition(bed.api, 'wine', 'Ready', 'True');
  });

  test('gets a NetworkPolicy when asked and loses it when not', async () => {
    await patchModel(bed.api, 'wine', { access: { networkPolicy: 'Restricted' } });
    await eventually(
      'the policy',
      async () => (await childrenOf(bed.api, resources.networkPolicies, 'wine')).length === 1,
    );
    await patchModel(bed.api, 'wine', { access: { networkPolicy: 'Off' } });
    await eventually(
      'no policy',
      async () => (await childrenOf(bed.api, resources.networkPolicies, 'wine')).length === 0,
    );
  });

  test('in mode Fixed follows the scale subresource’s field', async () => {
    await createModel(bed.api, 'fixed', { scaling: { mode: 'Fixed', replicas: 1 } });
    await condition(bed.api, 'fixed', 'Ready', 'True');
    await patchModel(bed.api, 'fixed', { scaling: { replicas: 3 } });
    const { model } = await condition(bed.api, 'fixed', 'Ready', 'True');
    expect(model.status).toMatchObject({ readyReplicas: 3, scaling: { desiredReplicas: 3 } });
    // The fleet loop tells why within a second; three fake pods can be ready sooner.
    await eventually(
      'the decision is told',
      async () => (await getModel(bed.api, 'fixed')).status?.scaling?.lastDecision?.replicas === 3,
    );
    let said = '';
    const out = { write: (text: string) => (said += text) };
    const asked = ['fixed', '-n', namespace, '--kubeconfig', bed.cluster.kubeconfigPath];
    expect(await whyCommand(asked, out)).toBe(0);
    expect(said).toContain(`fixed in ${namespace}: 3 replicas wanted, 3 ready. scaling.mode is Fixed`);
    expect(said).toMatch(/Last change, \d+ s ago: 1 → 3 \(Fixed\)/);
    said = '';
    expect(await whyCommand(['fixd', ...asked.slice(1)], out, out)).toBe(1);
    expect(said).toContain('Did you mean fixed?');
  });

  test('never takes a foreign object', async () => {
    await bed.api.create<Service>(resources.services, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'taken', namespace },
      spec: { selector: { app: 'shop' }, ports: [{ port: 80 }] },
    });
    await createModel(bed.api, 'taken');
    const { message } = await condition(bed.api, 'taken', 'Stalled', 'True', 'ChildConflict');
    expect(message).toMatch(/^Service "taken", which Ballast did not make, has the name/);
    const foreign = await bed.api.get<Service>(resources.services, { name: 'taken', namespace });
    expect(foreign.spec.selector).toEqual({ app: 'shop' });
    expect(foreign.metadata.ownerReferences).toBeUndefined();
    // Its holder is watched: the next look would come after half a minute.
    await bed.api.delete(resources.services, { name: 'taken', namespace });
    const deletedMs = performance.now();
    await condition(bed.api, 'taken', 'Ready', 'True');
    expect(performance.now() - deletedMs).toBeLessThan(15_000);
  });

  test('deleted takes everything with it', async () => {
    await bed.api.delete(modelDeployments, { name: 'wine', namespace });
    for (const type of [
      resources.deployments,
      resources.services,
      resources.configMaps,
      resources.pods,
    ] as const)
      await eventually(
        `no ${type.plural}`,
        async () => (await childrenOf(bed.api, type, 'wine')).length === 0,
      );
    await expect(bed.api.get(modelDeployments, { name: 'wine', namespace })).rejects.toMatchObject({
      code: 404,
    });
  });

  test('deleted and made again at once starts anew', async () => {
    await createModel(bed.api, 'again');
    await condition(bed.api, 'again', 'Ready', 'True');
    await bed.api.delete(modelDeployments, { name: 'again', namespace });
    await createModel(bed.api, 'again', { runtime: { threads: 1 } });
    const { model } = await condition(bed.api, 'again', 'Ready', 'True');
    expect(model.status?.rollout?.number).toBe(1);
    const deployments = await eventually('one Deployment', async () => {
      const found = await childrenOf(bed.api, resources.deployments, 'again');
      return found.length === 1 && found;
    });
    expect(deployments[0]?.metadata.ownerReferences?.[0]?.uid).toBe(model.metadata.uid);
    expect(writes()).toBeGreaterThan(0);
  });
});

describe('health', () => {
  test('livez, readyz and metrics answer', async () => {
    const base = `http://127.0.0.1:${bed.operator.opsPort}`;
    expect((await fetch(`${base}/livez`)).status).toBe(200);
    expect((await fetch(`${base}/readyz`)).status).toBe(200);
    const text = await (await fetch(`${base}/metrics`)).text();
    expect(text).toMatch(
      /ballast_operator_reconciles_total\{controller="model-deployment",result="success"\} \d+/,
    );
    expect(text).toMatch(/ballast_operator_nodejs_eventloop_lag_seconds/);
  });
});
