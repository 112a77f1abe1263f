/** Asks V8 to collect garbage: it counts bodies and tensors, which lie outside of its heap, too generously for a small container. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type Collect = (options?: { type: 'minor' }) => void;

let collect: Collect | undefined;

const collectorOf = (): Collect => {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as Collect;
};

/** A whole collection now; some ten milliseconds with the small heap of a pod. */
export const collectGarbage = (): void => {
  collect ??= collectorOf();
  collect();
};

/** Collects only what was made lately: well under a millisecond. */
export const collectYoungGarbage = (): void => {
  collect ??= collectorOf();
  collect({ type: 'minor' });
};
