/** How an exchange with a pod went wrong. */
export interface PodFailure {
  readonly message: string;
  /** A byte of the request may have come to the pod. */
  readonly reachedPod: boolean;
  /** It speaks against the pod. */
  readonly isPodSick: boolean;
  /** The request may be sent again as it is: nothing of its body is lost. */
  readonly repeatable: boolean;
  /** Sending it twice does what once does (GET, HEAD, OPTIONS; or the pod said that it did not look at it). */
  readonly harmless: boolean;
}
