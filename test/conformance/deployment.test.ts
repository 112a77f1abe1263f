import { describe, expect, test } from '@jest/globals';
import type { Body } from './support/client.ts';
import { openCluster } from './support/cluster.ts';
import { container, deployment } from './support/objects.ts';
import { fakeKubelet } from './support/pods.ts';
import { at, said } from './support/words.ts';

const api = await openCluster();
const kubelet = await fakeKubelet(api);
const deployments = api.path('deployments');
const nameOf = (body: Body) => body.metadata.name ?? '';

/** Makes a Deployment whose pods are on the tests' node. */
const create = async (name: string, spec: object = {}) => {
  const answer = await api.post(
    deployments,
    deployment(name, { replicas: 2, ...spec }, { nodeName: kubelet.node, nodeSelector: {} }),
  );
  expect(said(answer)).toBe('201');
};
const reportAll = async (name: string) => {
  for (const one of await kubelet.pods(name)) await kubelet.report(nameOf(one));
};
const sets = async (name: string) => {
  const { body } = await api.get(api.path('replicasets'), { labelSelector: `app=${name}` });
  return [...body.items].sort((a, b) => revisionOf(a) - revisionOf(b));
};
const revisionOf = (body: Body) =>
  Number(body.metadata.annotations?.['deployment.kubernetes.io/revision'] ?? 0);
const condition = (body: Body, type: string) => {
  const list = (at(body, 'status.conditions') ?? []) as {
    type: string;
    status: string;
    reason: string;
    message: string;
  }[];
  const found = list.find((one) => one.type === type);
  return found === undefined ? undefined : `${found.status} ${found.reason}: ${found.message}`;
};
const until = (name: string, holds: (body: Body) => boolean) =>
  api.eventually(
    () => api.get(`${deployments}/${name}`),
    ({ body }) => holds(body),
  );
const setImage = (name: string, image: string) =>
  api.strategicPatch(`${deployments}/${name}`, {
    spec: { template: { spec: { containers: [container('main', image)] } } },
  });
const images = async (name: string) =>
  (await kubelet.pods(name)).map((one) => at(one, 'spec.containers.0.image')).sort();

describe('a Deployment', () => {
  test('makes a ReplicaSet named after its template, which makes the pods', async () => {
    await create('fresh');
    const pods = await kubelet.untilPods('fresh', 2);
    const [set] = await sets('fresh');
    const hash = set?.metadata.labels?.['pod-template-hash'];
    expect(set?.metadata).toMatchObject({
      name: `fresh-${hash}`,
      labels: { app: 'fresh' },
      annotations: {
        'deployment.kubernetes.io/revision': '1',
        'deployment.kubernetes.io/desired-replicas': '2',
        'deployment.kubernetes.io/max-replicas': '3',
      },
      ownerReferences: [
        {
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          name: 'fresh',
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    });
    expect(set?.spec).toMatchObject({
      replicas: 2,
      selector: { matchLabels: { app: 'fresh', 'pod-template-hash': hash } },
      template: { metadata: { labels: { app: 'fresh', 'pod-template-hash': hash } } },
    });
    expect(pods[0]?.metadata).toMatchObject({
      name: expect.stringMatching(new RegExp(`^fresh-${hash}-[a-z0-9]{5}$`)),
      generateName: `fresh-${hash}-`,
      labels: { app: 'fresh', 'pod-template-hash': hash },
      ownerReferences: [
        {
          apiVersion: 'apps/v1',
          kind: 'ReplicaSet',
          name: `fresh-${hash}`,
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    });
  });

  test('says that it is not available, and when its pods are ready that it is', async () => {
    await create('telling');
    await kubelet.untilPods('telling', 2);
    const before = await until('telling', (body) => at(body, 'status.replicas') === 2);
    expect(before.body.status).toMatchObject({
      observedGeneration: 1,
      replicas: 2,
      updatedReplicas: 2,
      unavailableReplicas: 2,
    });
    expect(condition(before.body, 'Available')).toBe(
      'False MinimumReplicasUnavailable: Deployment does not have minimum availability.',
    );
    await reportAll('telling');
    const after = await until('telling', (body) => at(body, 'status.availableReplicas') === 2);
    expect(after.body.status).toMatchObject({ replicas: 2, readyReplicas: 2, updatedReplicas: 2 });
    // Counts of zero are left out, but for one.
    expect(after.body.status).toMatchObject({ terminatingReplicas: 0 });
    expect(at(after.body, 'status.unavailableReplicas')).toBeUndefined();
    const done = await until(
      'telling',
      (body) => condition(body, 'Progressing')?.includes('NewReplicaSetAvailable') ?? false,
    );
    expect(condition(done.body, 'Available')).toBe(
      'True MinimumReplicasAvailable: Deployment has minimum availability.',
    );
    expect(condition(done.body, 'Progressing')).toBe(
      `True NewReplicaSetAvailable: ReplicaSet "${nameOf((await sets('telling'))[0] as Body)}" has successfully progressed.`,
    );
    expect(done.body.metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('1');
  });

  test('replaces a pod that is deleted', async () => {
    await create('replacing', { replicas: 1 });
    const [first] = await kubelet.untilPods('replacing', 1);
    await api.delete(api.path('pods', nameOf(first as Body)), { gracePeriodSeconds: 0 });
    const { body } = await api.eventually(
      () => api.get(api.path('pods'), { labelSelector: 'app=replacing' }),
      (answer) =>
        answer.body.items.length === 1 && answer.body.items[0]?.metadata.uid !== first?.metadata.uid,
    );
    expect(body.items).toHaveLength(1);
  });

  test('scaling down takes a pod that is not ready first', async () => {
    await create('shrinking');
    const pods = await kubelet.untilPods('shrinking', 2);
    const keep = nameOf(pods[0] as Body);
    await kubelet.report(keep);
    await kubelet.report(nameOf(pods[1] as Body), false);
    await until('shrinking', (body) => at(body, 'status.readyReplicas') === 1);
    await api.mergePatch(`${deployments}/shrinking/scale`, { spec: { replicas: 1 } });
    expect((await kubelet.untilPods('shrinking', 1)).map(nameOf)).toEqual([keep]);
  });

  test('scaling to 0 and back makes no new ReplicaSet', async () => {
    await create('breathing');
    await kubelet.untilPods('breathing', 2);
    await api.mergePatch(`${deployments}/breathing`, { spec: { replicas: 0 } });
    await kubelet.untilPods('breathing', 0);
    await api.mergePatch(`${deployments}/breathing`, { spec: { replicas: 1 } });
    await kubelet.untilPods('breathing', 1);
    expect(await sets('breathing')).toHaveLength(1);
  });

  test('paused, it makes no pods of a new template until it is resumed', async () => {
    await create('paused', { replicas: 1 });
    await kubelet.untilPods('paused', 1);
    await api.mergePatch(`${deployments}/paused`, { spec: { paused: true } });
    await setImage('paused', 'i:2');
    await until('paused', (body) => at(body, 'status.observedGeneration') === 3);
    expect(await sets('paused')).toHaveLength(1);
    await api.mergePatch(`${deployments}/paused`, { spec: { paused: false } });
    await api.eventually(
      () => api.get(api.path('replicasets'), { labelSelector: 'app=paused' }),
      ({ body }) => body.items.length === 2,
    );
  });
});

describe('a rolling update', () => {
  const carefully = {
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
  };

  test('adds one pod, waits until it is ready, then takes an old one away', async () => {
    await create('rolling', carefully);
    await kubelet.untilPods('rolling', 2);
    await reportAll('rolling');
    await until('rolling', (body) => at(body, 'status.availableReplicas') === 2);
    await setImage('rolling', 'i:2');
    await kubelet.untilPods('rolling', 3);
    expect(await images('rolling')).toEqual(['example.test/none:1', 'example.test/none:1', 'i:2']);
    const half = await until('rolling', (body) => at(body, 'status.updatedReplicas') === 1);
    expect(half.body.status).toMatchObject({ replicas: 3, availableReplicas: 2, unavailableReplicas: 1 });
    for (let step = 0; step < 2; step += 1) {
      await api.eventually(
        async () => {
          await reportAll('rolling');
          return api.get(`${deployments}/rolling`);
        },
        ({ body }) => Number(at(body, 'status.updatedReplicas') ?? 0) > step,
      );
    }
    await api.eventually(
      async () => {
        await reportAll('rolling');
        return api.get(`${deployments}/rolling`);
      },
      ({ body }) => at(body, 'status.replicas') === 2 && at(body, 'status.updatedReplicas') === 2,
    );
    await until('rolling', (body) => at(body, 'status.availableReplicas') === 2);
    expect(await images('rolling')).toEqual(['i:2', 'i:2']);
    const both = await sets('rolling');
    expect(both.map((set) => [revisionOf(set), at(set, 'spec.replicas')])).toEqual([
      [1, 0],
      [2, 2],
    ]);
  });

  test('going back to an old template takes its old ReplicaSet and gives it the next revision', async () => {
    await create('back', { ...carefully, replicas: 1 });
    await kubelet.untilPods('back', 1);
    const [first] = await sets('back');
    await setImage('back', 'i:2');
    await api.eventually(
      () => api.get(api.path('replicasets'), { labelSelector: 'app=back' }),
      ({ body }) => body.items.length === 2,
    );
    await setImage('back', 'example.test/none:1');
    const { body } = await api.eventually(
      () => api.get(api.path('replicasets', nameOf(first as Body))),
      (answer) => revisionOf(answer.body) === 3,
    );
    expect(body.metadata.annotations?.['deployment.kubernetes.io/revision-history']).toBe('1');
    expect(await sets('back')).toHaveLength(2);
  });

  test('with maxUnavailable 1 and maxSurge 0 takes an old pod away first', async () => {
    await create('frugal', { strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } } });
    await kubelet.untilPods('frugal', 2);
    await reportAll('frugal');
    await until('frugal', (body) => at(body, 'status.availableReplicas') === 2);
    await setImage('frugal', 'i:2');
    await api.eventually(
      () => api.get(`${deployments}/frugal`),
      ({ body }) => at(body, 'status.updatedReplicas') === 1,
    );
    await kubelet.untilPods('frugal', 2);
    expect(await images('frugal')).toEqual(['example.test/none:1', 'i:2']);
  });

  test('a pod that was never ready stays too until the new one is ready', async () => {
    await create('broken', { ...carefully, replicas: 1 });
    await kubelet.untilPods('broken', 1);
    await setImage('broken', 'i:2');
    const pods = await kubelet.untilPods('broken', 2);
    expect((await sets('broken')).map((set) => at(set, 'spec.replicas'))).toEqual([1, 1]);
    const fresh = pods.find((one) => at(one, 'spec.containers.0.image') === 'i:2');
    await kubelet.report(nameOf(fresh as Body));
    await kubelet.untilPods('broken', 1);
    expect(await images('broken')).toEqual(['i:2']);
  });

  test('Recreate takes all old pods away before it makes new ones', async () => {
    await create('recreated', { strategy: { type: 'Recreate' }, replicas: 1 });
    const [old] = await kubelet.untilPods('recreated', 1);
    await kubelet.report(nameOf(old as Body));
    await setImage('recreated', 'i:2');
    await api.eventually(
      () => api.get(api.path('pods', nameOf(old as Body))),
      ({ body }) => body.metadata.deletionTimestamp !== undefined,
    );
    expect(await images('recreated')).toEqual([]);
    await api.delete(api.path('pods', nameOf(old as Body)), { gracePeriodSeconds: 0 });
    await kubelet.untilPods('recreated', 1);
    expect(await images('recreated')).toEqual(['i:2']);
  });

  test('past its deadline says so', async () => {
    await create('late', { progressDeadlineSeconds: 1, replicas: 1 });
    const { body } = await until(
      'late',
      (one) => condition(one, 'Progressing')?.startsWith('False') ?? false,
    );
    expect(condition(body, 'Progressing')).toBe(
      `False ProgressDeadlineExceeded: ReplicaSet "${nameOf((await sets('late'))[0] as Body)}" has timed out progressing.`,
    );
  });

  test('revisionHistoryLimit 0 keeps no old ReplicaSet', async () => {
    await create('forgetful', { revisionHistoryLimit: 0, replicas: 1 });
    await kubelet.untilPods('forgetful', 1);
    await setImage('forgetful', 'i:2');
    await api.eventually(
      async () => {
        await reportAll('forgetful');
        return api.get(api.path('replicasets'), { labelSelector: 'app=forgetful' });
      },
      ({ body }) => body.items.length === 1 && revisionOf(body.items[0] as Body) === 2,
    );
  });
});
