/** Asks V8 to collect garbage: it counts bodies and tensors, which lie outside of its heap, too generously for a small container. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type Collect = (options?: { type: 'major'; execution: 'sync'; flavor: 'last-resort' }) => void;

let collect: Collect | undefined;

const collectorOf = (): Collect => {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as Collect;
};

/** A whole collection now, some ten milliseconds with the small heap of a pod; `isLast` takes several times that and gives pages back. */
export const collectGarbage = (isLast: boolean): void => {
  collect ??= collectorOf();
  if (isLast) collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  else collect();
};
