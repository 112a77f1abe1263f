/** What controllers and kubelet ask of the API server that runs in the same process. */
import { messageOf } from '../../kube/log.ts';
import type { KubeObject, WatchEvent } from '../../kube/objects.ts';
import type { ObjectKey, ResourceType } from '../../kube/resource.ts';

export interface AccessRef {
  readonly name: string;
  readonly namespace?: string | undefined;
}

export interface WriteScope {
  readonly subresource?: 'status' | undefined;
  /** Who writes, for managedFields; default the access's own name. */
  readonly fieldManager?: string | undefined;
}

export interface Removal {
  readonly uid?: string | undefined;
  readonly gracePeriodSeconds?: number | undefined;
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan' | undefined;
}

/** The registry of `local/apiserver` behind the few calls that are needed; failures carry `reason` and `code`. */
export interface ClusterAccess {
  /** Calls back for each object that is there and then for each change, in order, until the returned function is called. */
  observe<T extends KubeObject>(type: ResourceType, onEvent: (event: WatchEvent<T>) => void): () => void;
  get<T extends KubeObject>(type: ResourceType, ref: AccessRef): Promise<T>;
  create<T extends KubeObject>(type: ResourceType, object: T): Promise<T>;
  update<T extends KubeObject>(type: ResourceType, object: T, scope?: WriteScope): Promise<T>;
  /** JSON merge patch. */
  patch<T extends KubeObject>(
    type: ResourceType,
    ref: AccessRef,
    patch: unknown,
    scope?: WriteScope,
  ): Promise<T>;
  /** Sets spec.nodeName of a pod, as its `binding` subresource does. */
  bind(ref: AccessRef, nodeName: string): Promise<void>;
  delete(type: ResourceType, ref: AccessRef, removal?: Removal): Promise<void>;
}

/** `reason` of a failed call ('' for anything else that was thrown). */
export function failureReason(error: unknown): string {
  return typeof error === 'object' && error !== null && 'reason' in error && typeof error.reason === 'string'
    ? error.reason
    : '';
}

/** Text of whatever was thrown. */
export function failureText(error: unknown): string {
  return messageOf(error);
}

/** `namespace/name`, or `name` for cluster-scoped kinds. */
export function keyOf(object: KubeObject): ObjectKey {
  const { namespace, name = '' } = object.metadata;
  return namespace === undefined ? name : `${namespace}/${name}`;
}

/** Name and namespace of an object, to read or write it again. */
export function refOf(object: KubeObject): AccessRef {
  return { name: object.metadata.name ?? '', namespace: object.metadata.namespace };
}

/** Wall time as Kubernetes writes it: UTC, whole seconds. */
export function timestamp(nowMs: number): string {
  return `${new Date(nowMs).toISOString().slice(0, 19)}Z`;
}
