/** Asks each ready pod now and then how many requests it may have in hand. */
import { HttpPool } from '../http/pool.ts';
import type { HostPort } from './address.ts';
import type { Pod } from './pod.ts';
import { slotsOf } from './slots.ts';

const everyMs = 10_000;
/** Of a pod that has not run enough to say it. */
const soonMs = 1_000;
const lookEveryMs = 250;
const atOnce = 8;
const largestBody = 1_048_576;
const patienceMs = 2_000;

export class SlotLearner {
  readonly #pods: () => Iterable<Pod>;
  readonly #onLearned: () => void;
  readonly #nextMs = new WeakMap<Pod, number>();
  #asking = 0;
  #timer: NodeJS.Timeout | undefined;

  /** `pods` gives all ready pods of all models; `onLearned` is told when one of them may have more or less in hand than before. */
  constructor(pods: () => Iterable<Pod>, onLearned: () => void) {
    this.#pods = pods;
    this.#onLearned = onLearned;
  }

  start(): void {
    this.#timer = setInterval(() => this.look(), lookEveryMs).unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** Asks the pods whose turn it is. */
  look(): void {
    const nowMs = performance.now();
    for (const pod of this.#pods()) {
      const { ops } = pod.address;
      if (ops === undefined || nowMs < (this.#nextMs.get(pod) ?? 0)) continue;
      if (this.#asking >= atOnce) return;
      this.#nextMs.set(pod, nowMs + everyMs);
      this.#asking += 1;
      void askLoad(ops).then((body) => {
        this.#asking -= 1;
        const said = body === undefined ? undefined : slotsOf(body);
        if (said?.isFounded === false) this.#nextMs.set(pod, nowMs + soonMs);
        // A pod that does not say keeps what it has.
        if (said === undefined || said.slots === pod.slots) return;
        pod.slots = said.slots;
        this.#onLearned();
      });
    }
  }
}

/** The body of a pod's `GET /load`; undefined when it gives none in time. */
const askLoad = (ops: HostPort): Promise<string | undefined> =>
  new Promise((resolve) => {
    const pool = new HttpPool(ops);
    const chunks: Buffer[] = [];
    let size = 0;
    let isGood = false;
    const end = (body: string | undefined) => {
      clearTimeout(timer);
      connection.destroy();
      pool.close();
      resolve(body);
    };
    const whole = () => end(isGood ? Buffer.concat(chunks, size).toString() : undefined);
    const timer = setTimeout(() => end(undefined), patienceMs);
    const connection = pool.send(
      {
        head: `GET /load HTTP/1.1\r\nhost: ${ops.host}:${ops.port}\r\nconnection: close\r\n\r\n`,
        body: undefined,
        isHead: false,
        streams: undefined,
      },
      {
        ready: () => undefined,
        head: (status) => {
          isGood = status === 200;
        },
        body: (chunk, isLast) => {
          size += chunk.length;
          if (size > largestBody) return end(undefined);
          chunks.push(chunk);
          if (isLast) whole();
        },
        end: whole,
        failed: () => end(undefined),
      },
    );
  });
