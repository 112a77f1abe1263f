/** What admission reads of the pod, at every request: views of what is, so that nothing is made for reading them. */

import type { LiveConfig } from '../crds/wire.ts';
import type { AdmissionState } from './admission/admission.ts';
import type { HeldRequests } from './admission/held.ts';
import { Standing } from './admission/standing.ts';
import type { PodConfig } from './config.ts';
import type { WaitingLimits } from './inference/types.ts';
import { shedMs } from './live-config.ts';
import type { PodState } from './pod-state.ts';

/** Share of the memory limit that waiting bodies may hold: parsed, a JSON body takes up to twelve times its size. */
const heldShare = 1 / 24;
/** What bodies may hold while memory is short: more than small ones would be one more reason for it. */
const shortBytesHeld = 1024 * 1024;
const heldBytesWithoutLimit = 256 * 1024 * 1024;

/** How many bytes of bodies the pod may hold. */
export const maxBytesHeldOf = ({ maxBodyBytes, memoryLimitBytes }: PodConfig): number =>
  Math.max(
    maxBodyBytes,
    memoryLimitBytes === undefined ? heldBytesWithoutLimit : memoryLimitBytes * heldShare,
  );

/** What the pod knows of itself; the functions are called at every request. */
export interface Readings {
  readonly config: PodConfig;
  readonly state: PodState;
  readonly held: HeldRequests;
  /** Bytes of answers that clients have not taken. */
  unsentBytes(): number;
  isMemoryShort(): boolean;
}

/** The state that decides who may come in. */
export const admissionOf = ({
  config,
  state,
  held,
  unsentBytes,
  isMemoryShort,
}: Readings): AdmissionState => {
  const maxBytesHeld = maxBytesHeldOf(config);
  return {
    modelName: config.modelName,
    maxInFlight: config.maxInFlight,
    get phase() {
      return state.phase;
    },
    get digestMoved() {
      return state.digestWanted !== undefined;
    },
    get inFlight() {
      return held.requests;
    },
    get bytesHeld() {
      return held.bytes + unsentBytes();
    },
    // Short of memory, a pod answers what it holds before it takes in more than small bodies.
    get maxBytesHeld() {
      return isMemoryShort() ? shortBytesHeld : maxBytesHeld;
    },
  };
};

/** The bounds of waiting. */
export const waitingOf = (
  { maxQueue }: PodConfig,
  queue: { readonly length: number },
  live: { readonly current: LiveConfig },
): WaitingLimits => ({
  maxQueue,
  get waiting() {
    return queue.length;
  },
  get shedMs() {
    return shedMs(live.current);
  },
});

/** How long requests that are read now have stood in their sockets, by the turns of the event loop. */
export const stoodOf = (nowMs: () => number): ((atMs: number) => number) => {
  const standing = new Standing();
  const ended = () => standing.ended(nowMs());
  return (atMs) => {
    if (!standing.isTurn) setImmediate(ended);
    return standing.read(atMs);
  };
};
