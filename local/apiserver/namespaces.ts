/** Namespaces: the ones that always exist, their CA and default ServiceAccount, and draining one that is deleted. */
import type { ConfigMap } from '../../kube/objects.ts';
import { deleteObject } from './delete.ts';
import { LaterQueue } from './later.ts';
import { type AnyObject, cloneJson } from './object.ts';
import type { Registry } from './registry.ts';

const initialNamespaces = ['default', 'kube-node-lease', 'kube-public', 'kube-system'];
const configMaps = { group: '', version: 'v1', plural: 'configmaps' };
const accounts = { group: '', version: 'v1', plural: 'serviceaccounts' };
const names = { group: '', version: 'v1', plural: 'namespaces' };

/** Creates the initial namespaces and drains deleted ones; the returned function stops it. */
export function keepNamespaces(registry: Registry, caPem: string): () => void {
  const { storage } = registry.core;
  const queue = new LaterQueue('namespaces', (name) => settle(registry, name, caPem));
  const unsubscribe = storage.subscribe(undefined, (event) => {
    if (event.collection === 'namespaces') {
      if (event.type !== 'DELETED') queue.add(event.object.metadata.name ?? '');
      return;
    }
    const namespace = event.object.metadata.namespace;
    if (event.type === 'DELETED' && namespace !== undefined) {
      const { name } = event.object.metadata;
      const isOurs =
        (event.collection === 'configmaps' && name === 'kube-root-ca.crt') ||
        (event.collection === 'serviceaccounts' && name === 'default');
      if (isOurs || storage.get('namespaces', namespace)?.metadata.deletionTimestamp !== undefined)
        queue.add(namespace);
    }
  });
  for (const name of initialNamespaces) {
    registry.create(names, { metadata: { name } }, { fieldManager: 'kube-apiserver' });
    settle(registry, name, caPem);
  }
  return () => {
    queue.stop();
    unsubscribe();
  };
}

function settle(registry: Registry, name: string, caPem: string): void {
  const namespace = registry.core.storage.get('namespaces', name);
  if (namespace === undefined) return;
  if (namespace.metadata.deletionTimestamp !== undefined) drain(registry, namespace, name);
  else {
    publishCa(registry, name, caPem);
    const account = { metadata: { namespace: name, name: 'default' } };
    if (registry.find(accounts, account.metadata) === undefined)
      registry.create(accounts, account, { fieldManager: 'kube-controller-manager' });
  }
}

/** The ConfigMap that the ServiceAccount volume of every pod mounts. */
function publishCa(registry: Registry, namespace: string, caPem: string): void {
  const name = 'kube-root-ca.crt';
  if (registry.find(configMaps, { namespace, name }) !== undefined) return;
  const map: ConfigMap = { metadata: { namespace, name }, data: { 'ca.crt': caPem } };
  registry.create(configMaps, map, { fieldManager: 'kube-controller-manager' });
}

/** Deletes what a terminating namespace holds; when it is empty, the namespace itself. */
function drain(registry: Registry, namespace: AnyObject, name: string): void {
  const { core } = registry;
  let left = 0;
  for (const kind of core.catalog.collections()) {
    if (!kind.namespaced) continue;
    for (const [, object] of core.storage.list(kind.collection, name)) {
      if (object.metadata.deletionTimestamp === undefined)
        deleteObject(core, kind, name, object.metadata.name ?? '', { propagationPolicy: 'Background' });
      if (core.storage.get(kind.collection, `${name}/${object.metadata.name}`) !== undefined) left++;
    }
  }
  if (left > 0) return;
  const last = (resourceVersion: string): AnyObject => {
    const draft = cloneJson(namespace);
    draft.spec = {};
    draft.metadata.resourceVersion = resourceVersion;
    return draft;
  };
  if ((namespace.metadata.finalizers?.length ?? 0) === 0) core.storage.remove('namespaces', name, last);
  else if (JSON.stringify(namespace.spec) !== '{}') core.storage.put('namespaces', name, last);
}
