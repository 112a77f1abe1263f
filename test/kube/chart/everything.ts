/** What is looked at when everything of the chart is on: the fleet's defaults, roles for people, monitors. */
import { expect } from '@jest/globals';
import { labels } from '../../../crds/constants.ts';
import type { Body } from '../../conformance/support/client.ts';
import type { Cluster } from '../../conformance/support/cluster.ts';
import { at, said } from '../../conformance/support/words.ts';

/** What the values say of the fleet is in a ModelDeployment that says nothing, its network settings in the ConfigMap of its pods. */
export async function takesDefaults(
  api: Cluster,
  models: string,
  sample: Body,
  untilReady: (name: string) => Promise<unknown>,
): Promise<void> {
  const spec = { model: { uri: 'https://models.example.com/wine.onnx' } };
  const metadata = { name: 'governed' };
  expect(said(await api.post(models, { ...sample, metadata, spec }))).toBe('201');
  await untilReady('governed');
  const template = (
    await api.get(api.path('deployments'), { labelSelector: labels.deployment })
  ).body.items.find(({ metadata: own }) => own.labels?.[labels.deployment] === 'governed')?.spec.template;
  expect(at(template, 'spec.nodeSelector')).toEqual({ 'kubernetes.io/os': 'linux' });
  expect(at(template, 'spec.containers.0.resources')).toEqual({
    requests: { cpu: '250m', memory: '256Mi' },
    limits: { memory: '512Mi' },
  });
  expect(at(template, 'metadata.labels.team')).toBe('models');
  expect((await api.get(api.path('networkpolicies', 'governed'))).status).toBe(200);
  const { data } = (await api.get(api.path('configmaps', 'governed-config'))).body as {
    data?: Record<string, string>;
  };
  const settings = Object.values(data ?? {}).join();
  expect(settings).toContain('http://proxy.example.com:3128');
  expect(settings).toContain('-----BEGIN CERTIFICATE-----');
  await api.delete(`${models}/governed`);
}

/** With rbac.aggregate, whoever may edit or view in a namespace may do so with ModelDeployments, and no more. */
export async function servesUsers(api: Cluster): Promise<void> {
  const { namespace } = api;
  const group = '/apis/rbac.authorization.k8s.io/v1';
  for (const role of ['edit', 'view'])
    await api.post(`${group}/namespaces/${namespace}/rolebindings`, {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name: `test-${role}` },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: role }],
    });
  const may = async (user: string, verb: string, resource: string, subresource = '') => {
    const answer = await api.post('/apis/authorization.k8s.io/v1/subjectaccessreviews', {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: { user, resourceAttributes: { namespace, verb, group: 'ballast.dev', resource, subresource } },
    });
    return at(answer.body, 'status.allowed');
  };
  const untilMay = (user: string, verb: string) =>
    api.eventually(
      () => api.get(`${group}/clusterroles/${user}`),
      ({ body }) =>
        (body.rules as { apiGroups: string[]; verbs: string[] }[]).some(
          ({ apiGroups, verbs }) => apiGroups.includes('ballast.dev') && verbs.includes(verb),
        ),
    );
  await untilMay('edit', 'create');
  await untilMay('view', 'list');
  expect(await may('edit', 'patch', 'modeldeployments')).toBe(true);
  expect(await may('edit', 'update', 'modeldeployments', 'scale')).toBe(true);
  expect(await may('edit', 'patch', 'modeldeployments', 'status')).toBe(false);
  expect(await may('view', 'watch', 'modeldeployments')).toBe(true);
  expect(await may('view', 'delete', 'modeldeployments')).toBe(false);
}

/** Stands for a CRD of the Prometheus operator: takes any spec. */
export const monitoringDefinition = (plural: string, kind: string) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${plural}.monitoring.coreos.com` },
  spec: {
    group: 'monitoring.coreos.com',
    scope: 'Namespaced',
    names: { plural, kind, singular: kind.toLowerCase(), listKind: `${kind}List` },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: { spec: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
          },
        },
      },
    ],
  },
});
