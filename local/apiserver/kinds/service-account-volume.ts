/** The volume with token, CA and namespace that the ServiceAccount admission plugin adds to pods. */
import type { StrategyContext } from '../kind.ts';
import { generatedName } from '../metadata.ts';
import { type AnyObject, type Json, jsonAt, listAt, textAt } from '../object.ts';

const mountPath = '/var/run/secrets/kubernetes.io/serviceaccount';

const volume = (name: string): Json => ({
  name,
  projected: {
    defaultMode: 420,
    sources: [
      { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
      { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
      {
        downwardAPI: {
          items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
        },
      },
    ],
  },
});

/** Adds the volume and its mounts unless pod or account opt out. */
export function addServiceAccountVolume(draft: AnyObject, context: StrategyContext): void {
  const spec = jsonAt(draft, 'spec');
  const account = context.find(
    'serviceaccounts',
    draft.metadata.namespace,
    textAt(spec, 'serviceAccountName'),
  );
  if ((spec.automountServiceAccountToken ?? account?.automountServiceAccountToken) === false) return;
  const lists = ['initContainers', 'containers'].map((list) => listAt(spec, list) as Json[]);
  const needs = lists
    .flat()
    .filter(
      (container) => !listAt(container, 'volumeMounts').some((m) => textAt(m, 'mountPath') === mountPath),
    );
  if (needs.length === 0) return;
  const name = generatedName('kube-api-access-');
  spec.volumes = [...listAt(spec, 'volumes'), volume(name)];
  for (const container of needs)
    container.volumeMounts = [...listAt(container, 'volumeMounts'), { name, readOnly: true, mountPath }];
}
