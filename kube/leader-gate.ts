/** Lets writes through only where this process may write: a leader that slept past its deadline must not wake up writing. */
import type { KubeApi } from './api.ts';
import { ApiError } from './errors.ts';
import type { ResourceType } from './resource.ts';

/** Whether this process may write objects of a kind in a namespace now. */
export type MayWrite = (type: ResourceType, namespace: string | undefined) => boolean;

/** The same API, whose writes reject with `NotLeading` where `mayWrite` says so. Reads always pass. */
export function gateWrites(api: KubeApi, mayWrite: MayWrite): KubeApi {
  const guarded = <R>(
    verb: string,
    type: ResourceType,
    namespace: string | undefined,
    write: () => Promise<R>,
  ): Promise<R> =>
    mayWrite(type, namespace)
      ? write()
      : Promise.reject(
          new ApiError({
            code: 0,
            reason: 'NotLeading',
            message: `${verb} ${type.kind}: not sent, this process does not lead`,
          }),
        );
  return {
    get: (type, ref, options) => api.get(type, ref, options),
    list: (type, options) => api.list(type, options),
    watch: (type, options) => api.watch(type, options),
    create: (type, object, options) =>
      guarded('create', type, object.metadata.namespace, () => api.create(type, object, options)),
    replace: (type, object, options) =>
      guarded('replace', type, object.metadata.namespace, () => api.replace(type, object, options)),
    patch: (type, ref, patch, options) =>
      guarded('patch', type, ref.namespace, () => api.patch(type, ref, patch, options)),
    apply: (type, object, options) =>
      guarded('apply', type, object.metadata.namespace, () => api.apply(type, object, options)),
    delete: (type, ref, options) =>
      guarded('delete', type, ref.namespace, () => api.delete(type, ref, options)),
  };
}
