import { describe, expect, test } from '@jest/globals';
import { openCluster } from './support/cluster.ts';
import { configMap } from './support/objects.ts';
import { entry, envelope, fields, message, number, text } from './support/protobuf.ts';
import { at, said } from './support/words.ts';

const api = await openCluster();
const contentType = 'application/vnd.kubernetes.protobuf';
/** Sends as typed clients do; JSON is asked for, so that the answer can be read here. */
const post = (path: string, apiVersion: string, kind: string, object: Buffer) =>
  api.send('POST', path, { contentType, body: envelope(apiVersion, kind, object) });
const meta = (name: string, ...more: Buffer[]) => message(1, text(1, name), ...more);

describe('protobuf bodies', () => {
  test('a Secret with labels, as helm stores its releases', async () => {
    const answer = await post(
      api.path('secrets'),
      'v1',
      'Secret',
      fields(
        meta('sh.helm.release.v1.x.v1', entry(11, 'owner', 'helm'), entry(12, 'test.dev/note', 'hello')),
        entry(2, 'release', Buffer.from([0, 255, 1])),
        text(3, 'helm.sh/release.v1'),
      ),
    );
    expect(said(answer)).toBe('201');
    expect(answer.body).toMatchObject({
      kind: 'Secret',
      metadata: { labels: { owner: 'helm' }, annotations: { 'test.dev/note': 'hello' } },
      type: 'helm.sh/release.v1',
      data: { release: 'AP8B' },
    });
  });

  test('a ConfigMap with text and bytes', async () => {
    const answer = await post(
      api.path('configmaps'),
      'v1',
      'ConfigMap',
      fields(meta('proto'), entry(2, 'a', 'ä'), entry(3, 'b', Buffer.from([1, 2]))),
    );
    expect(answer.body).toMatchObject({ data: { a: 'ä' }, binaryData: { b: 'AQI=' } });
  });

  test('a Namespace', async () => {
    const name = api.unique('proto');
    const answer = await post(
      '/api/v1/namespaces',
      'v1',
      'Namespace',
      fields(meta(name), message(2), message(3)),
    );
    api.cleanUp(`/api/v1/namespaces/${name}`);
    expect([answer.status, at(answer.body, 'status.phase')]).toEqual([201, 'Active']);
  });

  test('a ServiceAccount', async () => {
    const answer = await post(api.path('serviceaccounts'), 'v1', 'ServiceAccount', fields(meta('proto')));
    expect(said(answer)).toBe('201');
  });

  test('a Deployment, as kubectl create deployment sends it', async () => {
    const labels = entry(11, 'app', 'proto');
    const container = message(2, text(1, 'main'), text(2, 'example.test/none:1'));
    const spec = message(
      2,
      number(1, 0),
      message(2, entry(1, 'app', 'proto')),
      message(3, message(1, labels), message(2, container)),
      message(4),
    );
    const answer = await post(
      api.path('deployments'),
      'apps/v1',
      'Deployment',
      fields(meta('proto', labels), spec, message(3)),
    );
    expect(said(answer)).toBe('201');
    expect(answer.body).toMatchObject({
      spec: {
        replicas: 0,
        selector: { matchLabels: { app: 'proto' } },
        template: { spec: { containers: [{ name: 'main', image: 'example.test/none:1' }] } },
      },
    });
  });

  test('a Lease with its times', async () => {
    const answer = await post(
      api.path('leases'),
      'coordination.k8s.io/v1',
      'Lease',
      fields(
        meta('proto'),
        message(
          2,
          text(1, 'me'),
          number(2, 15),
          message(3, number(1, 1_764_000_000), number(2, 123_456_000)),
        ),
      ),
    );
    expect(answer.body.spec).toEqual({
      holderIdentity: 'me',
      leaseDurationSeconds: 15,
      acquireTime: '2025-11-24T16:00:00.123456Z',
    });
  });

  test('a HorizontalPodAutoscaler, as kubectl autoscale sends it', async () => {
    const path = `/apis/autoscaling/v2/namespaces/${api.namespace}/horizontalpodautoscalers`;
    const target = message(1, text(1, 'Deployment'), text(2, 'proto'), text(3, 'apps/v1'));
    const answer = await post(
      path,
      'autoscaling/v2',
      'HorizontalPodAutoscaler',
      fields(meta('proto'), message(2, target, number(2, 1), number(3, 3)), message(3)),
    );
    expect(said(answer)).toBe('201');
    expect(answer.body.spec).toMatchObject({
      scaleTargetRef: { kind: 'Deployment', name: 'proto', apiVersion: 'apps/v1' },
      minReplicas: 1,
      maxReplicas: 3,
    });
  });

  test('DeleteOptions with a precondition', async () => {
    const made = await api.post(api.path('configmaps'), configMap('deleted'));
    const send = (uid: string) =>
      api.send('DELETE', api.path('configmaps', 'deleted'), {
        contentType,
        body: envelope('v1', 'DeleteOptions', fields(message(2, text(1, uid)), text(4, 'Background'))),
      });
    expect((await send('another')).status).toBe(409);
    expect((await send(made.body.metadata.uid ?? '')).status).toBe(200);
  });

  test('a SelfSubjectAccessReview is answered, as kubectl auth can-i asks', async () => {
    const attributes = message(
      1,
      text(1, api.namespace),
      text(2, 'create'),
      text(3, 'apps'),
      text(5, 'deployments'),
    );
    const answer = await post(
      '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
      'authorization.k8s.io/v1',
      'SelfSubjectAccessReview',
      fields(message(1), message(2, attributes), message(3, number(1, 0))),
    );
    expect([answer.status, at(answer.body, 'status.allowed')]).toEqual([201, true]);
  });

  test('what is no protobuf is refused', async () => {
    const answer = await api.send('POST', api.path('configmaps'), {
      contentType,
      body: Buffer.from('nonsense'),
    });
    expect(answer.status).toBe(400);
  });

  test('a client that prefers protobuf and takes JSON gets one of the two', async () => {
    const answer = await api.send('GET', api.path('configmaps', 'proto'), {
      accept: `${contentType},application/json`,
    });
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toMatch(/^application\/(json|vnd\.kubernetes\.protobuf)/);
  });
});
