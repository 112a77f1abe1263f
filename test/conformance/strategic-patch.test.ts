import { describe, expect, test } from '@jest/globals';
import { openCluster } from './support/cluster.ts';
import { configMap, container, deployment, pod, service } from './support/objects.ts';
import { at, said } from './support/words.ts';

const api = await openCluster();
const deployments = api.path('deployments');

type Fields = Record<string, unknown>;

/** Makes a Deployment with this pod spec, patches its pod spec, and gives the pod spec after. */
async function patched(before: Fields, patch: Fields): Promise<Fields> {
  const name = api.unique('patched');
  const made = await api.post(deployments, deployment(name, {}, before));
  expect(said(made)).toBe('201');
  const answer = await api.strategicPatch(`${deployments}/${name}`, { spec: { template: { spec: patch } } });
  expect(said(answer)).toBe('200');
  return at(answer.body, 'spec.template.spec') as Fields;
}
const imagesOf = (spec: Fields) =>
  (spec.containers as { name: string; image: string }[]).map((one) => `${one.name}=${one.image}`);
const main = (more: Fields) => ({ containers: [container('main', 'i:1', more)] });
const firstContainer = (spec: Fields) => (spec.containers as Fields[])[0] ?? {};

describe('containers', () => {
  const two = { containers: [container('a', 'i:1'), container('b', 'i:1')] };

  test('merge by name', async () => {
    expect(imagesOf(await patched(two, { containers: [{ name: 'b', image: 'i:2' }] }))).toEqual([
      'a=i:1',
      'b=i:2',
    ]);
  });

  test('a new one goes to the front', async () => {
    expect(imagesOf(await patched(two, { containers: [container('c', 'i:3')] }))).toEqual([
      'c=i:3',
      'a=i:1',
      'b=i:1',
    ]);
  });

  test('$patch: delete removes one', async () => {
    expect(imagesOf(await patched(two, { containers: [{ name: 'a', $patch: 'delete' }] }))).toEqual([
      'b=i:1',
    ]);
  });

  test('$patch: replace replaces the list', async () => {
    const patch = { containers: [{ $patch: 'replace' }, container('z', 'i:9')] };
    expect(imagesOf(await patched(two, patch))).toEqual(['z=i:9']);
  });

  test('$setElementOrder orders', async () => {
    const patch = { '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }] };
    expect(imagesOf(await patched(two, patch))).toEqual(['b=i:1', 'a=i:1']);
  });

  test('$setElementOrder places a new one', async () => {
    const patch = {
      '$setElementOrder/containers': [{ name: 'a' }, { name: 'c' }, { name: 'b' }],
      containers: [container('c', 'i:3')],
    };
    expect(imagesOf(await patched(two, patch))).toEqual(['a=i:1', 'c=i:3', 'b=i:1']);
  });

  test('$setElementOrder keeps those that it does not name', async () => {
    const patch = {
      '$setElementOrder/containers': [{ name: 'b' }],
      containers: [{ name: 'b', image: 'i:2' }],
    };
    expect(imagesOf(await patched(two, patch))).toEqual(['a=i:1', 'b=i:2']);
  });

  test('an element without its merge key is refused', async () => {
    const name = api.unique('keyless');
    await api.post(deployments, deployment(name));
    const answer = await api.strategicPatch(`${deployments}/${name}`, {
      spec: { template: { spec: { containers: [{ image: 'i' }] } } },
    });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.body.message).toMatch(/does not contain declared merge key: name/);
  });

  test('null removes a field of one element', async () => {
    const spec = await patched(main({ command: ['a'], workingDir: '/w' }), {
      containers: [{ name: 'main', workingDir: null }],
    });
    expect(firstContainer(spec)).toMatchObject({ command: ['a'] });
    expect(firstContainer(spec)).not.toHaveProperty('workingDir');
  });

  test('initContainers merge by name too', async () => {
    const spec = await patched(
      { initContainers: [container('fetch', 'f:1'), container('check', 'c:1')] },
      { initContainers: [{ name: 'check', image: 'c:2' }] },
    );
    expect(imagesOf({ containers: spec.initContainers })).toEqual(['fetch=f:1', 'check=c:2']);
  });
});

describe('lists in a container', () => {
  const inMain = (patch: Fields) => ({ containers: [{ name: 'main', ...patch }] });

  test('env merges by name', async () => {
    const spec = await patched(
      main({
        env: [
          { name: 'A', value: '1' },
          { name: 'B', value: '2' },
        ],
      }),
      inMain({ env: [{ name: 'B', value: '3' }] }),
    );
    expect(firstContainer(spec).env).toEqual([
      { name: 'A', value: '1' },
      { name: 'B', value: '3' },
    ]);
  });

  test('env $patch: delete', async () => {
    const spec = await patched(
      main({
        env: [
          { name: 'A', value: '1' },
          { name: 'B', value: '2' },
        ],
      }),
      inMain({ env: [{ name: 'A', $patch: 'delete' }] }),
    );
    expect(firstContainer(spec).env).toEqual([{ name: 'B', value: '2' }]);
  });

  test('a value that becomes valueFrom needs the old one removed', async () => {
    const spec = await patched(
      main({ env: [{ name: 'A', value: '1' }] }),
      inMain({ env: [{ name: 'A', value: null, valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }] }),
    );
    expect(firstContainer(spec).env).toEqual([
      { name: 'A', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } },
    ]);
  });

  test('ports merge by containerPort', async () => {
    const spec = await patched(
      main({
        ports: [
          { name: 'http', containerPort: 80 },
          { name: 'ops', containerPort: 81 },
        ],
      }),
      inMain({ ports: [{ containerPort: 81, name: 'admin' }] }),
    );
    expect(firstContainer(spec).ports).toEqual([
      { name: 'http', containerPort: 80, protocol: 'TCP' },
      { name: 'admin', containerPort: 81, protocol: 'TCP' },
    ]);
  });

  test('volumeMounts merge by mountPath', async () => {
    const volumes = [
      { name: 'v', emptyDir: {} },
      { name: 'w', emptyDir: {} },
    ];
    const before = {
      volumes,
      ...main({
        volumeMounts: [
          { name: 'v', mountPath: '/a' },
          { name: 'v', mountPath: '/b' },
        ],
      }),
    };
    const spec = await patched(before, inMain({ volumeMounts: [{ mountPath: '/b', name: 'w' }] }));
    expect(firstContainer(spec).volumeMounts).toEqual([
      { name: 'v', mountPath: '/a' },
      { name: 'w', mountPath: '/b' },
    ]);
  });

  test.each([
    ['args', ['a', 'b'], ['c']],
    ['command', ['x'], ['y', 'z']],
  ])('%s is replaced whole', async (field, before, after) => {
    const spec = await patched(main({ [field]: before }), inMain({ [field]: after }));
    expect(firstContainer(spec)[field]).toEqual(after);
  });

  test('resources merge as maps', async () => {
    const spec = await patched(
      main({ resources: { requests: { cpu: '1', memory: '1Gi' } } }),
      inMain({ resources: { requests: { cpu: '2' }, limits: { cpu: '3' } } }),
    );
    expect(firstContainer(spec).resources).toEqual({
      requests: { cpu: '2', memory: '1Gi' },
      limits: { cpu: '3' },
    });
  });

  test('a probe can change its kind when the old one is removed', async () => {
    const spec = await patched(
      main({ livenessProbe: { httpGet: { port: 80 } } }),
      inMain({ livenessProbe: { httpGet: null, tcpSocket: { port: 81 } } }),
    );
    expect(firstContainer(spec).livenessProbe).toMatchObject({ tcpSocket: { port: 81 } });
    expect(firstContainer(spec).livenessProbe).not.toHaveProperty('httpGet');
  });
});

describe('lists in a pod', () => {
  test('volumes merge by name', async () => {
    const spec = await patched(
      {
        volumes: [
          { name: 'a', emptyDir: {} },
          { name: 'b', emptyDir: {} },
        ],
      },
      { volumes: [{ name: 'b', emptyDir: { medium: 'Memory' } }] },
    );
    expect(spec.volumes).toEqual([
      { name: 'a', emptyDir: {} },
      { name: 'b', emptyDir: { medium: 'Memory' } },
    ]);
  });

  test('$retainKeys changes the kind of a volume', async () => {
    const spec = await patched(
      { volumes: [{ name: 'a', emptyDir: {} }] },
      { volumes: [{ name: 'a', configMap: { name: 'm' }, $retainKeys: ['name', 'configMap'] }] },
    );
    expect(spec.volumes).toEqual([{ name: 'a', configMap: { name: 'm', defaultMode: 420 } }]);
  });

  test('imagePullSecrets merge by name', async () => {
    const spec = await patched({ imagePullSecrets: [{ name: 'a' }] }, { imagePullSecrets: [{ name: 'b' }] });
    expect(spec.imagePullSecrets).toEqual([{ name: 'b' }, { name: 'a' }]);
  });

  test('tolerations are replaced whole', async () => {
    const spec = await patched(
      { tolerations: [{ key: 'a', operator: 'Exists' }] },
      { tolerations: [{ key: 'b', operator: 'Exists' }] },
    );
    expect(spec.tolerations).toEqual([{ key: 'b', operator: 'Exists' }]);
  });

  test('nodeSelector merges, $patch: replace replaces it', async () => {
    const merged = await patched({ nodeSelector: { a: '1' } }, { nodeSelector: { b: '2' } });
    expect(merged.nodeSelector).toEqual({ a: '1', b: '2' });
    const replaced = await patched(
      { nodeSelector: { a: '1' } },
      { nodeSelector: { $patch: 'replace', b: '2' } },
    );
    expect(replaced.nodeSelector).toEqual({ b: '2' });
  });

  test('topologySpreadConstraints merge by topologyKey', async () => {
    const one = (topologyKey: string, maxSkew: number) => ({
      topologyKey,
      maxSkew,
      whenUnsatisfiable: 'ScheduleAnyway',
      labelSelector: {},
    });
    const spec = await patched(
      { topologySpreadConstraints: [one('zone', 1), one('host', 1)] },
      {
        topologySpreadConstraints: [{ topologyKey: 'host', whenUnsatisfiable: 'ScheduleAnyway', maxSkew: 3 }],
      },
    );
    expect((spec.topologySpreadConstraints as { maxSkew: number }[]).map((c) => c.maxSkew)).toEqual([1, 3]);
  });
});

describe('metadata and other kinds', () => {
  const maps = api.path('configmaps');
  const patchMap = async (metadata: Fields, patch: Fields) => {
    const name = api.unique('map');
    await api.post(maps, configMap(name, { a: '1' }, metadata));
    return (await api.strategicPatch(`${maps}/${name}`, patch)).body;
  };

  test('labels and annotations merge, null removes', async () => {
    const body = await patchMap(
      { labels: { a: '1', b: '2' }, annotations: { c: '3' } },
      { metadata: { labels: { a: null, d: '4' }, annotations: { e: '5' } } },
    );
    expect(body.metadata).toMatchObject({ labels: { b: '2', d: '4' }, annotations: { c: '3', e: '5' } });
    expect(body.metadata.labels).not.toHaveProperty('a');
  });

  test('finalizers are a set', async () => {
    const body = await patchMap({ finalizers: ['test.dev/a'] }, { metadata: { finalizers: ['test.dev/b'] } });
    expect([...(body.metadata.finalizers ?? [])].sort()).toEqual(['test.dev/a', 'test.dev/b']);
    await api.mergePatch(`${maps}/${body.metadata.name}`, { metadata: { finalizers: null } });
  });

  test('$deleteFromPrimitiveList removes from a set', async () => {
    const body = await patchMap(
      { finalizers: ['test.dev/a', 'test.dev/b'] },
      { metadata: { '$deleteFromPrimitiveList/finalizers': ['test.dev/a'] } },
    );
    expect(body.metadata.finalizers).toEqual(['test.dev/b']);
    await api.mergePatch(`${maps}/${body.metadata.name}`, { metadata: { finalizers: null } });
  });

  test('ownerReferences merge by uid', async () => {
    // Of a kind that nobody serves: the garbage collector cannot find it absent.
    const owner = (name: string, uid: string) => ({ apiVersion: 'none.test/v1', kind: 'Nothing', name, uid });
    const body = await patchMap(
      { ownerReferences: [owner('a', 'u-a')] },
      { metadata: { ownerReferences: [owner('renamed', 'u-a')] } },
    );
    expect(body.metadata.ownerReferences).toEqual([owner('renamed', 'u-a')]);
  });

  test('$patch: replace at a map replaces it', async () => {
    const body = await patchMap({}, { data: { $patch: 'replace', z: '26' } });
    expect(body.data).toEqual({ z: '26' });
  });

  test('ports of a Service merge by port', async () => {
    const services = api.path('services');
    await api.post(
      services,
      service('ports', {
        ports: [
          { name: 'a', port: 1 },
          { name: 'b', port: 2 },
        ],
      }),
    );
    const answer = await api.strategicPatch(`${services}/ports`, {
      spec: { ports: [{ port: 2, targetPort: 9 }] },
    });
    expect(at(answer.body, 'spec.ports')).toEqual([
      { name: 'a', port: 1, protocol: 'TCP', targetPort: 1 },
      { name: 'b', port: 2, protocol: 'TCP', targetPort: 9 },
    ]);
  });

  test('conditions of a pod merge by type', async () => {
    const pods = api.path('pods');
    await api.post(pods, pod('conditions'));
    const path = `${pods}/conditions/status`;
    const condition = (type: string, status: string) => ({ type, status });
    await api.strategicPatch(path, {
      status: { conditions: [condition('A', 'True'), condition('B', 'True')] },
    });
    const answer = await api.strategicPatch(path, { status: { conditions: [condition('B', 'False')] } });
    const conditions = at(answer.body, 'status.conditions') as { type: string; status: string }[];
    expect(
      conditions
        .filter((one) => 'AB'.includes(one.type))
        .map((one) => one.type + one.status)
        .sort(),
    ).toEqual(['ATrue', 'BFalse']);
  });

  test('rollout restart, as kubectl sends it', async () => {
    await api.post(deployments, deployment('restart'));
    const key = 'kubectl.kubernetes.io/restartedAt';
    const answer = await api.strategicPatch(
      `${deployments}/restart`,
      { spec: { template: { metadata: { annotations: { [key]: '2026-11-24T10:00:00Z' } } } } },
      { fieldManager: 'kubectl-rollout' },
    );
    expect(at(answer.body, `spec.template.metadata.annotations.[${key}]`)).toBe('2026-11-24T10:00:00Z');
    expect(answer.body.metadata.generation).toBe(2);
  });

  test('an unknown directive is refused', async () => {
    const name = api.unique('map');
    await api.post(maps, configMap(name, { a: '1' }));
    const answer = await api.strategicPatch(`${maps}/${name}`, { data: { $patch: 'shuffle' } });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.body.message).toMatch(/[Uu]nknown patch type: shuffle|shuffle/);
  });
});
