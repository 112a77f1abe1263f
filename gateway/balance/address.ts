/** Where a pod is, as EndpointSlices say it. */

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** What an EndpointSlice says of a pod. */
export interface PodAddress {
  /** `host:port` of its HTTP port: tells pods apart. */
  readonly key: string;
  /** Name of the pod, for logs; the key where the slice does not say. */
  readonly name: string;
  readonly http: HostPort;
  readonly grpc: HostPort | undefined;
  readonly ops: HostPort | undefined;
  /** May get requests: ready and not terminating. */
  readonly ready: boolean;
}
