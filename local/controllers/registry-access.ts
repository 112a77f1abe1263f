/** The registry of the API server as controllers and kubelet use it. */
import type { KubeObject, Pod, WatchEvent } from '../../kube/objects.ts';
import type { ResourceType } from '../../kube/resource.ts';
import { resources } from '../../kube/resource.ts';
import { patchTypes, type Registry } from '../apiserver/registry.ts';
import type { AccessRef, ClusterAccess, Removal, WriteScope } from './access.ts';

const named = ({ name, namespace }: AccessRef) => (namespace === undefined ? { name } : { name, namespace });
const scoped = (fieldManager: string, scope: WriteScope | undefined) => ({
  fieldManager: scope?.fieldManager ?? fieldManager,
  ...(scope?.subresource === undefined ? {} : { subresource: scope.subresource }),
});

/** Access under the name of a field manager; a failed call rejects with the registry's `StatusError`. */
export function registryAccess(registry: Registry, fieldManager: string): ClusterAccess {
  return {
    observe<T extends KubeObject>(type: ResourceType, onEvent: (event: WatchEvent<T>) => void) {
      const watch = registry.watch<T>(type, {}, (event) => onEvent(event as WatchEvent<T>));
      return () => watch.stop();
    },
    async get<T extends KubeObject>(type: ResourceType, ref: AccessRef) {
      return registry.get<T>(type, named(ref)) as T;
    },
    async create<T extends KubeObject>(type: ResourceType, object: T) {
      return registry.create<T>(type, object, { fieldManager });
    },
    async update<T extends KubeObject>(type: ResourceType, object: T, scope?: WriteScope) {
      return registry.update<T>(type, object, scoped(fieldManager, scope));
    },
    async patch<T extends KubeObject>(
      type: ResourceType,
      ref: AccessRef,
      patch: unknown,
      scope?: WriteScope,
    ) {
      const patched = registry.patch<T>(type, named(ref), patch, {
        patchType: patchTypes.merge,
        ...scoped(fieldManager, scope),
      });
      return patched as T;
    },
    async bind(ref: AccessRef, nodeName: string) {
      registry.edit<Pod>(
        resources.pods,
        named(ref),
        (pod) => {
          pod.spec.nodeName = nodeName;
        },
        { fieldManager: 'kube-scheduler' },
      );
    },
    async delete(type: ResourceType, ref: AccessRef, removal: Removal = {}) {
      registry.delete(type, named(ref), {
        ...(removal.uid === undefined ? {} : { uid: removal.uid }),
        ...(removal.gracePeriodSeconds === undefined
          ? {}
          : { gracePeriodSeconds: removal.gracePeriodSeconds }),
        ...(removal.propagationPolicy === undefined ? {} : { propagationPolicy: removal.propagationPolicy }),
      });
    },
  };
}
