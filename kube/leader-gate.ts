/** Lets writes through only while this process may write: a leader that slept past its deadline must not wake up writing. */
import type { KubeApi } from './api.ts';
import { ApiError } from './errors.ts';

/** The same API, whose writes reject with `NotLeading` while `mayWrite()` is false. Reads always pass. */
export function gateWrites(api: KubeApi, mayWrite: () => boolean): KubeApi {
  const refuse = (what: string) =>
    Promise.reject(
      new ApiError({
        code: 0,
        reason: 'NotLeading',
        message: `${what}: not sent, this process does not lead`,
      }),
    );
  return {
    get: (type, ref, options) => api.get(type, ref, options),
    list: (type, options) => api.list(type, options),
    watch: (type, options) => api.watch(type, options),
    create: (type, object, options) =>
      mayWrite() ? api.create(type, object, options) : refuse(`create ${type.kind}`),
    replace: (type, object, options) =>
      mayWrite() ? api.replace(type, object, options) : refuse(`replace ${type.kind}`),
    patch: (type, ref, patch, options) =>
      mayWrite() ? api.patch(type, ref, patch, options) : refuse(`patch ${type.kind}`),
    apply: (type, object, options) =>
      mayWrite() ? api.apply(type, object, options) : refuse(`apply ${type.kind}`),
    delete: (type, ref, options) =>
      mayWrite() ? api.delete(type, ref, options) : refuse(`delete ${type.kind}`),
  };
}
