/** The real metrics-server in a cluster of test/kube: a pod that the API server's aggregator leads to. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bed } from '../../test/kube/e2e/bed.ts';
import { staticImage } from '../../test/kube/static-image.ts';
import { until } from './embedded-bed.ts';

const name = 'metrics-server';
const namespace = 'kube-system';
/** Its least is 10 s, its default 60 s; 15 s is what its own manifests set. */
const resolution = '15s';

/**
 * Builds, installs and waits for it. The API server of these tests has no certificate to prove an aggregated caller's name
 * with: metrics-server sees nobody's name, so everybody may read metrics there. The caller's own right is still checked by the
 * API server before it asks.
 */
export async function installMetricsServer(bed: Bed): Promise<void> {
  const image = staticImage('metrics-server', bed.say);
  await Promise.all(bed.cluster.nodes.map((node) => node.importImage(image.archive)));
  const metadata = { name, namespace, labels: { app: name } };
  const role = (suffix: string, roleRef: string) => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: `${name}-${suffix}` },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: roleRef },
    subjects: [{ kind: 'ServiceAccount', name, namespace }],
  });
  const args = [
    '--secure-port=10250',
    '--cert-dir=/tmp',
    `--metric-resolution=${resolution}`,
    '--kubelet-insecure-tls',
    '--kubelet-preferred-address-types=InternalIP',
    '--authentication-skip-lookup',
  ];
  const port = { name: 'https', port: 443, targetPort: 10250 };
  const probe = { httpGet: { path: '/readyz', port: 10250, scheme: 'HTTPS' }, periodSeconds: 2 };
  const items = [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name },
      rules: [
        { apiGroups: [''], resources: ['nodes/metrics'], verbs: ['get'] },
        { apiGroups: [''], resources: ['pods', 'nodes'], verbs: ['get', 'list', 'watch'] },
      ],
    },
    role('reads', name),
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: `${name}-readers` },
      rules: [
        { apiGroups: ['metrics.k8s.io'], resources: ['pods', 'nodes'], verbs: ['get', 'list', 'watch'] },
        // The aggregator calls it available when it answers this.
        { nonResourceURLs: ['/apis/metrics.k8s.io/v1beta1'], verbs: ['get'] },
      ],
    },
    {
      ...role('readers', `${name}-readers`),
      subjects: [{ kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: 'system:unauthenticated' }],
    },
    role('delegates', 'system:auth-delegator'),
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector: { app: name }, ports: [port] } },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: {
        selector: { matchLabels: { app: name } },
        template: {
          metadata: { labels: { app: name } },
          spec: {
            serviceAccountName: name,
            containers: [
              {
                name,
                image: image.name,
                imagePullPolicy: 'Never',
                args,
                readinessProbe: probe,
                volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
              },
            ],
            volumes: [{ name: 'tmp', emptyDir: {} }],
          },
        },
      },
    },
    {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: 'v1beta1.metrics.k8s.io' },
      spec: {
        group: 'metrics.k8s.io',
        version: 'v1beta1',
        service: { name, namespace },
        insecureSkipTLSVerify: true,
        groupPriorityMinimum: 100,
        versionPriority: 100,
      },
    },
  ];
  const file = join(bed.cluster.dir, 'metrics-server.json');
  writeFileSync(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  await bed.kubectl('apply', '-f', file);
  let last = '';
  try {
    await until(
      'metrics of nodes',
      async () => {
        last = await bed
          .kubectl('get', '--raw', '/apis/metrics.k8s.io/v1beta1/nodes')
          .catch((error: Error) => error.message);
        return /"cpu":"\d/.test(last);
      },
      120_000,
    );
  } catch (error) {
    const log = await bed.kubectl('logs', '-n', namespace, `deployment/${name}`, '--tail=20').catch(String);
    throw new Error(`metrics-server does not serve: ${(error as Error).message}\n${last}\n${log}`);
  }
}
