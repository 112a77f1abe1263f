/** Runs tasks on as many threads as there are cores. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Answer, Question } from './worker.ts';

/** All results, in the order of the tasks; `told` is called after each. */
export async function runAll<Q extends Question>(
  tasks: readonly Q[],
  told: (done: number) => void,
): Promise<Answer<Q>[]> {
  const results = new Array<Answer<Q>>(tasks.length);
  let next = 0;
  let done = 0;
  const run = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL('./worker.ts', import.meta.url));
      let at = -1;
      const give = () => {
        if (next >= tasks.length) {
          void worker.terminate();
          resolve();
          return;
        }
        at = next;
        next += 1;
        worker.postMessage(tasks[at]);
      };
      worker.on('message', (result: Answer<Q>) => {
        results[at] = result;
        done += 1;
        told(done);
        give();
      });
      worker.on('error', reject);
      give();
    });
  await Promise.all(Array.from({ length: Math.min(tasks.length, availableParallelism()) }, run));
  return results;
}
