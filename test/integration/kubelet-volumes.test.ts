/** What a container finds: environment, files, claims; and that they stay fresh. */

import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { ConfigMap } from '../../kube/objects.ts';
import { resources } from '../../kube/resource.ts';
import { startTestbed, type Testbed, until } from './kubelet-testbed.ts';

let bed: Testbed;
beforeAll(async () => {
  bed = await startTestbed();
  bed.create(resources.configMaps, {
    metadata: { name: 'settings' },
    data: { color: 'blue', 'config.json': '{"v":1}' },
  });
  bed.create(resources.secrets, {
    metadata: { name: 'keys' },
    data: { token: Buffer.from('s3cret').toString('base64') },
  });
});
afterAll(async () => {
  await bed.close();
});

const done = (name: string) =>
  until(
    `${name} ended`,
    () => bed.pod(name)?.status?.phase === 'Succeeded',
    () => bed.pod(name),
  );

test('environment: literal, fields, resources, config map, secret, expansion', async () => {
  bed.runPod(
    'env',
    {
      restartPolicy: 'Never',
      containers: [
        {
          name: 'c',
          image: 'show',
          args: [
            'env=NAME',
            'env=IP',
            'env=CPU',
            'env=MEM',
            'env=COLOR',
            'env=TOKEN',
            'env=URL',
            'env=NONE',
            '$(COLOR)',
            '$$(COLOR)',
          ],
          resources: { requests: { cpu: '100m' }, limits: { cpu: '500m', memory: '64Mi' } },
          env: [
            { name: 'NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
            { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
            { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '1m' } } },
            { name: 'MEM', valueFrom: { resourceFieldRef: { resource: 'limits.memory' } } },
            { name: 'COLOR', valueFrom: { configMapKeyRef: { name: 'settings', key: 'color' } } },
            { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'keys', key: 'token' } } },
            { name: 'URL', value: 'http://$(IP):80/$(NAME)?$$(x)=$(UNKNOWN)' },
            {
              name: 'NONE',
              valueFrom: { configMapKeyRef: { name: 'settings', key: 'gone', optional: true } },
            },
          ],
        },
      ],
    },
    { labels: { app: 'x' } },
  );
  await done('env');
  const ip = bed.pod('env')?.status?.podIP;
  expect(ip).toMatch(/^127\.\d+\.\d+\.\d+$/);
  expect((await bed.logs('env')).trim().split('\n')).toEqual([
    'NAME=env',
    `IP=${ip}`,
    'CPU=500',
    'MEM=67108864',
    'COLOR=blue',
    'TOKEN=s3cret',
    `URL=http://${ip}:80/env?$(x)=$(UNKNOWN)`,
    'NONE=undefined',
    'blue',
    '$(COLOR)',
  ]);
});

test('files of config maps, secrets, the downward API and projections', async () => {
  bed.runPod(
    'files',
    {
      restartPolicy: 'Never',
      volumes: [
        { name: 'settings', configMap: { name: 'settings', items: [{ key: 'color', path: 'deep/hue' }] } },
        { name: 'keys', secret: { secretName: 'keys' } },
        {
          name: 'me',
          downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] },
        },
        {
          name: 'all',
          projected: { sources: [{ secret: { name: 'keys' } }, { configMap: { name: 'settings' } }] },
        },
      ],
      containers: [
        {
          name: 'c',
          image: 'show',
          args: ['/a/deep/hue', '/b/token', '/c/labels', '/d/token', '/d/color'],
          volumeMounts: [
            { name: 'settings', mountPath: '/a' },
            { name: 'keys', mountPath: '/b', readOnly: true },
            { name: 'me', mountPath: '/c' },
            { name: 'all', mountPath: '/d' },
          ],
        },
      ],
    },
    { labels: { app: 'x', tier: 'y' } },
  );
  await done('files');
  expect((await bed.logs('files')).trim()).toBe('blue\ns3cret\napp="x"\ntier="y"\ns3cret\nblue');
});

test('a changed config map reaches a running container within a second', async () => {
  bed.runPod('live', {
    volumes: [{ name: 'settings', configMap: { name: 'settings' } }],
    containers: [
      {
        name: 'c',
        image: 'follow',
        args: ['/ballast/config/config.json'],
        volumeMounts: [{ name: 'settings', mountPath: '/ballast/config' }],
      },
    ],
  });
  const log = async () => (bed.pod('live')?.status?.phase === 'Running' ? await bed.logs('live') : '');
  let text = '';
  const logHas = (part: string) =>
    until(`"${part}" in the log`, () => {
      void log().then((now) => {
        text = now;
      });
      return text.includes(part);
    });
  await logHas('read {"v":1}');
  const startMs = performance.now();
  bed.cluster.registry.edit<ConfigMap>(
    resources.configMaps,
    { namespace: 'default', name: 'settings' },
    (draft) => {
      draft.data = { ...draft.data, 'config.json': '{"v":2}' };
    },
  );
  await logHas('read {"v":2}');
  expect(performance.now() - startMs).toBeLessThan(1_000);
  expect(text.trim().split('\n').slice(-2)).toEqual(['read {"v":1}', 'read {"v":2}']);
});

test('a pod waits for a config map that is missing, and says so', async () => {
  bed.runPod('waits', {
    restartPolicy: 'Never',
    volumes: [{ name: 'late', configMap: { name: 'late' } }],
    containers: [
      { name: 'c', image: 'show', args: ['/l/x'], volumeMounts: [{ name: 'late', mountPath: '/l' }] },
    ],
  });
  await until('FailedMount', () => bed.events('waits').some((event) => event.reason === 'FailedMount'));
  expect(bed.pod('waits')?.status?.containerStatuses?.[0]?.state?.waiting?.reason).toBe('ContainerCreating');
  bed.create(resources.configMaps, { metadata: { name: 'late' }, data: { x: 'came' } });
  await done('waits');
  expect(await bed.logs('waits')).toBe('came\n');
});

test('a variable whose source is missing is a CreateContainerConfigError until it comes', async () => {
  bed.runPod('misconfigured', {
    restartPolicy: 'Never',
    containers: [
      {
        name: 'c',
        image: 'show',
        args: ['env=X'],
        env: [{ name: 'X', valueFrom: { secretKeyRef: { name: 'later', key: 'x' } } }],
      },
    ],
  });
  const waiting = await until('error', () => {
    const found = bed.pod('misconfigured')?.status?.containerStatuses?.[0]?.state?.waiting;
    return found?.reason === 'CreateContainerConfigError' && found;
  });
  expect(waiting.message).toBe('secret "later" not found');
  bed.create(resources.secrets, {
    metadata: { name: 'later' },
    data: { x: Buffer.from('y').toString('base64') },
  });
  await done('misconfigured');
});

test('a claim is bound at once and its folder outlives pods; a pod that names none waits', async () => {
  bed.runPod('claimer', {
    restartPolicy: 'Never',
    volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'models' } }],
    containers: [
      {
        name: 'c',
        image: 'show',
        args: ['/m/a.txt'],
        volumeMounts: [{ name: 'data', mountPath: '/m', subPath: 'sub' }],
      },
    ],
  });
  const condition = await until('unschedulable', () =>
    bed
      .pod('claimer')
      ?.status?.conditions?.find(({ type, status }) => type === 'PodScheduled' && status === 'False'),
  );
  expect(condition.message).toBe('0/1 nodes are available: persistentvolumeclaim "models" not found.');
  mkdirSync(join(bed.folder, 'state/claims/default/models/sub'), { recursive: true });
  writeFileSync(join(bed.folder, 'state/claims/default/models/sub/a.txt'), 'kept');
  bed.create(resources.persistentVolumeClaims, {
    metadata: { name: 'models' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  });
  await done('claimer');
  expect(await bed.logs('claimer')).toBe('kept\n');
  bed.cluster.registry.delete(resources.persistentVolumeClaims, { namespace: 'default', name: 'models' });
  await until('folder removed', () => !existsSync(join(bed.folder, 'state/claims/default/models')));
});

test('what does not fit the node stays Pending with the scheduler’s words', async () => {
  bed.runPod('huge', {
    containers: [{ name: 'c', image: 'web', resources: { requests: { cpu: '1000', memory: '64Mi' } } }],
  });
  bed.runPod('picky', { nodeSelector: { gpu: 'yes' }, containers: [{ name: 'c', image: 'web' }] });
  const message = (name: string) =>
    bed.pod(name)?.status?.conditions?.find(({ reason }) => reason === 'Unschedulable')?.message;
  await until('both said', () => message('huge') !== undefined && message('picky') !== undefined);
  expect(message('huge')).toBe('0/1 nodes are available: 1 Insufficient cpu.');
  expect(message('picky')).toBe(
    "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.",
  );
  expect(bed.events('huge').map(({ reason }) => reason)).toEqual(['FailedScheduling']);
});
