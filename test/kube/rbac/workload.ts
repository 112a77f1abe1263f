/** A life of ModelDeployments in which the operator does everything that it ever asks the API server for. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { labels } from '../../../crds/constants.ts';
import type { Operator } from '../../../operator/operator.ts';
import type { Body } from '../../conformance/support/client.ts';
import type { Cluster } from '../../conformance/support/cluster.ts';
import { at, said } from '../../conformance/support/words.ts';

const sample = load(
  readFileSync(join(import.meta.dirname, '../../../samples/wine/modeldeployment.yaml'), 'utf8'),
) as Body;

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly message: string;
}

/** A condition of an object. */
export const conditionOf = (body: Body, type: string): Condition | undefined =>
  ((at(body, 'status.conditions') ?? []) as Condition[]).find((one) => one.type === type);

export interface Workload {
  readonly api: Cluster;
  /** Collection of the ModelDeployments in the namespace of the tests. */
  readonly models: string;
  /** Prefix of all names: the garbage collector may learn of a new kind half a minute late, so what was deleted is not waited for. */
  readonly prefix: string;
  /** Ends the operator and starts the next one. */
  restart(): Promise<Operator>;
}

/** Creates a ModelDeployment from the sample wine. */
export async function createModel(
  { api, models }: Workload,
  name: string,
  spec: Record<string, unknown> = {},
): Promise<void> {
  const body = { ...sample, metadata: { name }, spec: { ...sample.spec, ...spec } };
  const made = await api.post(models, body, { fieldValidation: 'Strict' });
  if (made.status !== 201) throw new Error(said(made));
}

/** Waits until what was written last serves. */
export const untilReady = ({ api, models }: Workload, name: string) =>
  api.eventually(
    () => api.get(`${models}/${name}`),
    ({ body }) =>
      conditionOf(body, 'Ready')?.status === 'True' &&
      at(body, 'status.observedGeneration') === body.metadata.generation,
  );

/** Children of a kind. */
export const childrenOf = ({ api }: Workload, plural: string, name: string) =>
  api.get(api.path(plural), { labelSelector: `${labels.deployment}=${name}` });

/** Waits until this many children of a kind are there. */
const untilCount = (workload: Workload, plural: string, name: string, count: number) =>
  workload.api.eventually(
    () => childrenOf(workload, plural, name),
    ({ body }) => body.items.length === count,
  );

/** Runs it all; what does not come about within the time of `eventually` is an error. */
export async function liveThrough(workload: Workload): Promise<void> {
  const { api, models, prefix } = workload;
  const name = `${prefix}-wine`;
  await rollOut(workload, name);
  await mend(workload, name);
  await throughGateway(workload, name);
  await keepRoom(workload, name);
  await refuse(workload);
  await workload.restart();
  await api.mergePatch(`${models}/${name}`, { spec: { traffic: { timeout: '4s' } } });
  await untilReady(workload, name);
  await api.delete(`${models}/${name}`);
}

/** Two revisions, of which the first leaves nothing behind; a network policy that comes and goes. */
async function rollOut(workload: Workload, name: string): Promise<void> {
  const { api, models } = workload;
  await createModel(workload, name, {
    access: { networkPolicy: 'Restricted' },
    rollout: { revisionHistoryLimit: 0 },
  });
  await untilReady(workload, name);
  await untilCount(workload, 'networkpolicies', name, 1);
  await api.mergePatch(`${models}/${name}`, { spec: { model: { version: '2' }, access: null } });
  await untilReady(workload, name);
  for (const plural of ['deployments', 'controllerrevisions']) await untilCount(workload, plural, name, 1);
  await untilCount(workload, 'networkpolicies', name, 0);
  // The callers' Service and that of the one revision.
  await untilCount(workload, 'services', name, 2);
}

/** The namespace's gateway comes with the first that asks for it and goes with the last; its Role may wake what sleeps. */
async function throughGateway({ api, models }: Workload, name: string): Promise<void> {
  const services = () => api.get(api.path('services'), { fieldSelector: 'metadata.name=ballast-gateway' });
  await api.mergePatch(`${models}/${name}`, { spec: { scaling: { scaleToZero: {} } } });
  // The Role and its binding are made before the Service.
  await api.eventually(services, ({ body }) => body.items.length === 1);
  await api.mergePatch(`${models}/${name}`, { spec: { scaling: { scaleToZero: null } } });
  await api.eventually(
    () => api.get(`${models}/${name}`),
    ({ body }) => at(body, 'status.traffic.path') === 'Direct',
  );
}

/** Room by a CapacityBuffer, whose kind the test's server has, comes and goes with the wish. */
async function keepRoom({ api, models }: Workload, name: string): Promise<void> {
  const buffers = `/apis/autoscaling.x-k8s.io/v1beta1/namespaces/${api.namespace}/capacitybuffers`;
  const count = async (wanted: number) =>
    api.eventually(
      () => api.get(buffers, { fieldSelector: `metadata.name=${name}-headroom` }),
      ({ body }) => body.items.length === wanted,
    );
  await api.mergePatch(`${models}/${name}`, { spec: { scaling: { headroom: { replicas: 1 } } } });
  await count(1);
  await api.mergePatch(`${models}/${name}`, { spec: { scaling: { headroom: null } } });
  await count(0);
  await api.eventually(
    () => api.get(`${models}/${name}`),
    ({ body }) => at(body, 'status.scaling.headroom') === undefined,
  );
}

const copied = ['configmaps', 'serviceaccounts', 'poddisruptionbudgets'];

/** Hand edits are put back, each with an event that is counted up the second time; copies of children are cleared away. */
async function mend(workload: Workload, name: string): Promise<void> {
  const { api } = workload;
  const path = api.path('services', name);
  for (const count of [1, 2]) {
    await api.mergePatch(path, { spec: { selector: { [labels.role]: 'nobody' } } });
    await api.eventually(
      () => api.get(path),
      ({ body }) => at(body, `spec.selector.[${labels.role}]`) === 'serving',
    );
    await api.eventually(
      () => api.get(api.path('events'), { fieldSelector: 'reason=ChildRestored' }),
      ({ body }) =>
        body.items.some((event) => event.count === count && at(event, 'involvedObject.name') === name),
    );
  }
  for (const plural of copied) {
    const [child] = (await childrenOf(workload, plural, name)).body.items;
    const { labels: labelled, ownerReferences } = child?.metadata ?? {};
    const metadata = { name: `${child?.metadata.name}-copy`, labels: labelled, ownerReferences };
    const { status: _, ...rest } = child ?? ({} as Body);
    const made = await api.post(api.path(plural), { ...rest, metadata });
    if (made.status !== 201) throw new Error(said(made));
    await untilCount(workload, plural, name, 1);
  }
}

/** What the operator cannot have its way in: a name that is taken, a quota, a spec that needs other hands. */
async function refuse(workload: Workload): Promise<void> {
  const { api, models, prefix } = workload;
  const names = { taken: `${prefix}-taken`, starved: `${prefix}-starved` };
  const port = { name: 'http', port: 80 };
  const taken = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: names.taken },
    spec: { ports: [port] },
  };
  await api.post(api.path('services'), taken);
  await createModel(workload, names.taken);
  await api.eventually(
    () => api.get(`${models}/${names.taken}`),
    ({ body }) => JSON.stringify(body.status ?? {}).includes('ChildConflict'),
  );
  await api.delete(`${models}/${names.taken}`);

  const quota = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'full' } };
  await api.post(api.path('resourcequotas'), { ...quota, spec: { hard: { pods: '0' } } });
  await api.eventually(
    () => api.get(api.path('resourcequotas', 'full')),
    ({ body }) => at(body, 'status.hard.pods') === '0',
  );
  await createModel(workload, names.starved);
  await api.eventually(
    () => api.get(`${models}/${names.starved}`),
    ({ body }) => JSON.stringify(body.status ?? {}).includes('exceeded quota: full'),
  );
  await api.delete(api.path('resourcequotas', 'full'));
  await api.delete(`${models}/${names.starved}`);
}
