/** What the kubelet gives the API server for `kubectl logs`. */
import type { Pod } from '../../kube/objects.ts';

export interface LogOptions {
  readonly container: string;
  readonly follow: boolean;
  readonly previous: boolean;
  readonly timestamps: boolean;
  readonly tailLines?: number;
  readonly limitBytes?: number;
  readonly sinceSeconds?: number;
  readonly sinceTime?: string;
}

export interface LogSource {
  /**
   * The log of one container as text chunks; with `follow` until the container ends or the signal aborts.
   * Throws a StatusError (badRequest) when there is no log yet.
   */
  read(pod: Readonly<Pod>, options: LogOptions, signal: AbortSignal): AsyncIterable<string>;
}
