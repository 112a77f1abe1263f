/** Hooks, deadlines, size limits, service links, log streams, the fake kubelet, and the cluster’s own start and end. */
import { readFileSync, rmSync, statSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Deployment, Pod, PodDisruptionBudget } from '../../kube/objects.ts';
import { resources } from '../../kube/resource.ts';
import { startCluster } from '../../local/cluster.ts';
import { freshFolder, imagesIn, isAlive, startTestbed, type Testbed, until } from './kubelet-testbed.ts';

let bed: Testbed;
beforeAll(async () => {
  bed = await startTestbed();
});
afterAll(async () => {
  await bed.close();
});

const phase = (name: string) => bed.pod(name)?.status?.phase;
const state = (name: string) => bed.pod(name)?.status?.containerStatuses?.[0]?.state;

test('a pod past its active deadline is Failed, stays to be seen, and goes when deleted', async () => {
  bed.runPod('deadline', { activeDeadlineSeconds: 1, containers: [{ name: 'c', image: 'web' }] } as never);
  await until(
    'failed',
    () => phase('deadline') === 'Failed',
    () => bed.pod('deadline'),
  );
  expect(bed.pod('deadline')?.status?.reason).toBe('DeadlineExceeded');
  expect(state('deadline')?.terminated).toBeDefined();
  bed.cluster.registry.delete(resources.pods, { namespace: 'default', name: 'deadline' });
  await until('gone', () => bed.pod('deadline') === undefined);
});

test('a pod whose emptyDir outgrows its limit is evicted', async () => {
  bed.runPod('full', {
    volumes: [{ name: 'work', emptyDir: { sizeLimit: '1Mi' } }],
    containers: [
      {
        name: 'c',
        image: 'show',
        command: ['/bin/sh', '-c', 'head -c 2000000 /dev/zero > $F; exec sleep 100'],
        env: [{ name: 'F', value: '/work/f' }],
        volumeMounts: [{ name: 'work', mountPath: '/work' }],
      },
    ],
  });
  await until(
    'evicted',
    () => bed.pod('full')?.status?.reason === 'Evicted',
    () => bed.pod('full'),
  );
  expect(bed.pod('full')?.status?.message).toContain('exceeds the limit "1Mi"');
});

test('a failing postStart hook restarts the container and says so', async () => {
  bed.runPod('hook', {
    containers: [
      {
        name: 'c',
        image: 'web',
        lifecycle: { postStart: { exec: { command: ['/bin/sh', '-c', 'echo no; exit 3'] } } } as never,
      },
    ],
  });
  await until('restarted', () => (bed.pod('hook')?.status?.containerStatuses?.[0]?.restartCount ?? 0) > 0);
  expect(bed.events('hook').map(({ message }) => message)).toContain('PostStartHook failed: exit code 3 no');
  bed.cluster.registry.delete(resources.pods, { namespace: 'default', name: 'hook' });
  await until('gone', () => bed.pod('hook') === undefined);
});

test('Services are named in the environment; what cannot be started is a StartError', async () => {
  bed.create(resources.services, { metadata: { name: 'my-svc' }, spec: { ports: [{ port: 1234 }] } });
  bed.runPod('links', {
    restartPolicy: 'Never',
    containers: [{ name: 'c', image: 'show', args: ['env=MY_SVC_SERVICE_PORT'] }],
  });
  bed.runPod('nothing', {
    restartPolicy: 'Never',
    containers: [{ name: 'c', image: 'show', command: ['/no/such'] }],
  });
  await until('both ended', () => phase('links') === 'Succeeded' && phase('nothing') === 'Failed');
  expect(await bed.logs('links')).toBe('MY_SVC_SERVICE_PORT=1234\n');
  expect(state('nothing')?.terminated).toMatchObject({ exitCode: 128, reason: 'StartError' });
});

test('a sidecar’s restartPolicy, which is not supported, is refused by name', async () => {
  bed.runPod('sidecar', {
    initContainers: [{ name: 's', image: 'web', restartPolicy: 'Always' } as never],
    containers: [{ name: 'c', image: 'web' }],
  });
  const waiting = await until('refused', () => {
    const found = bed.pod('sidecar')?.status?.initContainerStatuses?.[0]?.state?.waiting;
    return found?.reason === 'CreateContainerConfigError' && found;
  });
  expect(waiting.message).toContain('restartPolicy of a container is not supported');
});

test('a followed log gives lines as they come and ends with the container', async () => {
  bed.runPod('talker', {
    restartPolicy: 'Never',
    containers: [
      {
        name: 'c',
        image: 'show',
        command: ['/bin/sh', '-c', 'echo one; sleep 0.2; echo two; sleep 0.2; printf three'],
      },
    ],
  });
  await until('running', () => phase('talker') === 'Running');
  expect(await bed.logs('talker', { follow: true })).toBe('one\ntwo\nthree');
});

test('the log of a container that has not started is a 400 that says why', async () => {
  bed.runPod('silent', { containers: [{ name: 'c', image: 'none' }] });
  await until('waiting', () => state('silent')?.waiting?.reason?.startsWith('ErrImage'));
  await expect(bed.logs('silent')).rejects.toMatchObject({
    code: 400,
    message: expect.stringContaining('container "c" in pod "silent" is waiting to start: '),
  });
});

test('start takes under half a second; close leaves no process and no port', async () => {
  const folder = freshFolder();
  const startMs = performance.now();
  const cluster = await startCluster({ stateDir: join(folder, 's'), imageMap: imagesIn(folder) });
  expect(performance.now() - startMs).toBeLessThan(500);
  try {
    const text = readFileSync(cluster.kubeconfigPath, 'utf8');
    expect(text).toContain(cluster.url);
    expect(text).toContain('namespace: default');
    expect(statSync(cluster.kubeconfigPath).mode & 0o777).toBe(0o600);
    cluster.registry.create<Pod>(resources.pods, {
      metadata: { name: 'p', namespace: 'default' },
      spec: { containers: [{ name: 'c', image: 'stubborn' }] },
    });
    const pid = await until('running', () => {
      const pod = cluster.registry.get<Pod>(resources.pods, { namespace: 'default', name: 'p' });
      return Number(pod.status?.containerStatuses?.[0]?.containerID?.split('//')[1]) || undefined;
    });
    await cluster.close();
    expect(isAlive(pid)).toBe(false);
    const refused = await new Promise((resolve) => {
      const { hostname, port } = new URL(cluster.url);
      createConnection({ host: hostname, port: Number(port) }).on('error', (error: NodeJS.ErrnoException) =>
        resolve(error.code),
      );
    });
    expect(refused).toBe('ECONNREFUSED');
  } finally {
    await cluster.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

test('the fake kubelet makes pods ready after its time and answers on their ports', async () => {
  const fake = await startTestbed({
    fakeKubelet: {
      readyAfterMs: 50,
      initMessage: (_pod, container) => `${container} done`,
      answer: (pod, port, path) => ({ body: `${pod.metadata.name} ${port} ${path}` }),
    },
    node: { cpu: '100', memory: '100Gi', pods: 1_000 },
  });
  try {
    fake.create(resources.deployments, {
      metadata: { name: 'many' },
      spec: {
        replicas: 50,
        selector: { matchLabels: { app: 'many' } },
        template: {
          metadata: { labels: { app: 'many' } },
          spec: {
            initContainers: [{ name: 'fetch', image: 'x' }],
            containers: [{ name: 'c', image: 'x', ports: [{ name: 'ops', containerPort: 8081 }] }],
          },
        },
      },
    });
    fake.create(resources.podDisruptionBudgets, {
      metadata: { name: 'many' },
      spec: { maxUnavailable: 1, selector: { matchLabels: { app: 'many' } } },
    });
    await until(
      '50 ready',
      () => fake.find<Deployment>(resources.deployments, 'many')?.status?.availableReplicas === 50,
    );
    const [pod] = fake.cluster.registry.list<Pod>(resources.pods, { labelSelector: 'app=many' }).items;
    expect(pod?.status?.initContainerStatuses?.[0]?.state?.terminated?.message).toBe('fetch done');
    const answer = await fetch(`http://${pod?.status?.podIP}:8081/load`, {
      headers: { connection: 'close' },
    });
    expect(await answer.text()).toBe(`${pod?.metadata.name} ops /load`);
    await until('budget counted', () => {
      const budget = fake.find<PodDisruptionBudget>(resources.podDisruptionBudgets, 'many');
      return budget?.status?.currentHealthy === 50 && budget.status.disruptionsAllowed === 1;
    });
    fake.cluster.registry.patch<Deployment>(
      resources.deployments,
      { namespace: 'default', name: 'many' },
      { spec: { replicas: 3 } },
      { patchType: 'application/merge-patch+json' },
    );
    await until(
      '3 left',
      () => fake.cluster.registry.list(resources.pods, { labelSelector: 'app=many' }).items.length === 3,
    );
  } finally {
    await fake.close();
  }
});
