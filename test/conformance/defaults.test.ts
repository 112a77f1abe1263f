import { describe, expect, test } from '@jest/globals';
import { openCluster } from './support/cluster.ts';
import { container, deployment, pod, service } from './support/objects.ts';
import { at, causes } from './support/words.ts';

const api = await openCluster();

describe('defaults of built-in kinds', () => {
  test('a Deployment', async () => {
    const { spec: given, ...rest } = deployment(
      'defaults',
      {},
      {
        containers: [
          container('main', 'example.test/none', {
            ports: [{ containerPort: 80 }],
            readinessProbe: { httpGet: { port: 80 } },
          }),
        ],
      },
    );
    const { replicas: _, ...spec } = given;
    const { body } = await api.post(api.path('deployments'), { ...rest, spec }, { dryRun: 'All' });
    expect(body.spec).toMatchObject({
      replicas: 1,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      template: {
        spec: {
          restartPolicy: 'Always',
          terminationGracePeriodSeconds: 30,
          dnsPolicy: 'ClusterFirst',
          securityContext: {},
          schedulerName: 'default-scheduler',
          containers: [
            {
              imagePullPolicy: 'Always',
              resources: {},
              terminationMessagePath: '/dev/termination-log',
              terminationMessagePolicy: 'File',
              ports: [{ containerPort: 80, protocol: 'TCP' }],
              readinessProbe: {
                httpGet: { path: '/', port: 80, scheme: 'HTTP' },
                timeoutSeconds: 1,
                periodSeconds: 10,
                successThreshold: 1,
                failureThreshold: 3,
              },
            },
          ],
        },
      },
    });
  });

  test('an image with a tag is pulled only if it is not there', async () => {
    const { body } = await api.post(api.path('pods'), pod('tagged'), { dryRun: 'All' });
    expect(at(body, 'spec.containers.0.imagePullPolicy')).toBe('IfNotPresent');
  });

  test('a pod', async () => {
    const { body } = await api.post(api.path('pods'), pod('plain'));
    expect(body).toMatchObject({
      spec: {
        restartPolicy: 'Always',
        serviceAccountName: 'default',
        serviceAccount: 'default',
        enableServiceLinks: true,
        preemptionPolicy: 'PreemptLowerPriority',
        priority: 0,
        tolerations: [
          {
            key: 'node.kubernetes.io/not-ready',
            operator: 'Exists',
            effect: 'NoExecute',
            tolerationSeconds: 300,
          },
          {
            key: 'node.kubernetes.io/unreachable',
            operator: 'Exists',
            effect: 'NoExecute',
            tolerationSeconds: 300,
          },
        ],
      },
      status: { phase: 'Pending', qosClass: 'BestEffort' },
    });
  });

  test('requests follow limits', async () => {
    const limited = container('main', 'i', { resources: { limits: { cpu: '1', memory: '64Mi' } } });
    const { body } = await api.post(api.path('pods'), pod('limited', { containers: [limited] }), {
      dryRun: 'All',
    });
    expect(at(body, 'spec.containers.0.resources.requests')).toEqual({ cpu: '1', memory: '64Mi' });
    expect(at(body, 'status.qosClass')).toBe('Guaranteed');
  });

  test('quantities are written in their shortest form', async () => {
    const asked = container('main', 'i', {
      resources: { requests: { cpu: '1000m', memory: '1024Mi' }, limits: { cpu: '1.5' } },
    });
    const { body } = await api.post(api.path('pods'), pod('short', { containers: [asked] }), {
      dryRun: 'All',
    });
    expect(at(body, 'spec.containers.0.resources')).toEqual({
      requests: { cpu: '1', memory: '1Gi' },
      limits: { cpu: '1500m' },
    });
  });

  test('a Service gets an address, and its ports their target', async () => {
    const { body } = await api.post(api.path('services'), service('addressed'));
    expect(body).toMatchObject({
      spec: {
        type: 'ClusterIP',
        clusterIP: expect.stringMatching(/^\d+\.\d+\.\d+\.\d+$/),
        ports: [{ name: 'http', port: 8080, targetPort: 8080, protocol: 'TCP' }],
        sessionAffinity: 'None',
        ipFamilies: ['IPv4'],
        ipFamilyPolicy: 'SingleStack',
        internalTrafficPolicy: 'Cluster',
      },
      status: { loadBalancer: {} },
    });
    expect(at(body, 'spec.clusterIPs.0')).toBe(at(body, 'spec.clusterIP'));
  });

  test('a headless Service keeps None', async () => {
    const { body } = await api.post(api.path('services'), service('headless', { clusterIP: 'None' }));
    expect(body.spec).toMatchObject({ clusterIP: 'None', clusterIPs: ['None'] });
  });

  test('a Service keeps its address, and another cannot be set', async () => {
    const made = await api.post(api.path('services'), service('keeps'));
    const { clusterIP: _, ...spec } = made.body.spec;
    const put = await api.put(api.path('services', 'keeps'), {
      ...service('keeps'),
      spec: { ports: spec.ports, selector: spec.selector },
    });
    expect(at(put.body, 'spec.clusterIP')).toBe(at(made.body, 'spec.clusterIP'));
    const answer = await api.mergePatch(api.path('services', 'keeps'), { spec: { clusterIP: '10.96.1.1' } });
    expect(answer.status).toBe(422);
    expect(causes(answer)[0]).toMatch(
      /^spec\.clusterIPs\[0\] \| FieldValueInvalid \| Invalid value: .*may not change once set/,
    );
  });

  test('two ports of a Service need names', async () => {
    const answer = await api.post(
      api.path('services'),
      service('nameless', { ports: [{ port: 1 }, { port: 2 }] }),
    );
    expect(causes(answer)).toEqual([
      'spec.ports[0].name | FieldValueRequired | Required value',
      'spec.ports[1].name | FieldValueRequired | Required value',
    ]);
  });

  test('a Secret turns stringData into data', async () => {
    const { body } = await api.post(api.path('secrets'), {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'written' },
      stringData: { a: 'hello' },
    });
    expect(body).toMatchObject({ type: 'Opaque', data: { a: 'aGVsbG8=' } });
    expect(body).not.toHaveProperty('stringData');
  });
});
