/** What the rest of the house may ask of a Kubernetes API server; `kube/client.ts` implements it over one pooled agent. */
import type { KubeList, KubeObject, WatchEvent } from './objects.ts';
import type { ResourceType } from './resource.ts';

export interface ObjectRef {
  readonly name: string;
  /** Required for namespaced kinds. */
  readonly namespace?: string;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Whole-call deadline, milliseconds; default 10,000 (list 60,000). */
  readonly timeoutMs?: number;
}

export interface GetOptions extends CallOptions {
  readonly subresource?: 'status' | 'scale';
}

export interface ListOptions extends CallOptions {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly limit?: number;
  readonly continue?: string;
  readonly resourceVersion?: string;
  /** Only metadata is asked for; a server that cannot leave the rest out sends it. */
  readonly metadataOnly?: boolean;
}

export interface WatchOptions {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly resourceVersion: string;
  /** Server-side life of the watch, seconds; the client ends it 30 s later if the server does not. */
  readonly timeoutSeconds: number;
  /** As of a list. */
  readonly metadataOnly?: boolean;
  readonly signal?: AbortSignal;
}

export interface WriteOptions extends CallOptions {
  readonly fieldManager?: string;
  readonly dryRun?: boolean;
  readonly subresource?: 'status' | 'scale';
}

export interface ApplyOptions extends WriteOptions {
  readonly fieldManager: string;
  /** Take over fields that other managers own; default true. */
  readonly force?: boolean;
}

export type PatchType =
  | 'application/merge-patch+json'
  | 'application/json-patch+json'
  | 'application/strategic-merge-patch+json';

export interface DeleteOptions extends CallOptions {
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
  readonly gracePeriodSeconds?: number;
}

/** Every method rejects with an `ApiError` (kube/errors.ts) for an answer that is not 2xx, and for network and time faults. */
export interface KubeApi {
  get<T extends KubeObject>(type: ResourceType, ref: ObjectRef, options?: GetOptions): Promise<T>;
  list<T extends KubeObject>(type: ResourceType, options?: ListOptions): Promise<KubeList<T>>;
  /** Yields until the server ends the watch; throws `ApiError` on in-stream errors (410 included) and malformed lines. */
  watch<T extends KubeObject>(type: ResourceType, options: WatchOptions): AsyncIterable<WatchEvent<T>>;
  create<T extends KubeObject>(type: ResourceType, object: T, options?: WriteOptions): Promise<T>;
  replace<T extends KubeObject>(type: ResourceType, object: T, options?: WriteOptions): Promise<T>;
  patch<T extends KubeObject>(
    type: ResourceType,
    ref: ObjectRef,
    patch: unknown,
    options: WriteOptions & { readonly patchType: PatchType },
  ): Promise<T>;
  /** Server-side apply of a whole object (metadata.name and, for namespaced kinds, metadata.namespace required). */
  apply<T extends KubeObject>(type: ResourceType, object: KubeObject, options: ApplyOptions): Promise<T>;
  /** Resolves when the server accepted the deletion; a 404 rejects. */
  delete(type: ResourceType, ref: ObjectRef, options?: DeleteOptions): Promise<void>;
}
