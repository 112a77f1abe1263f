/** Where connections to a Service port may go: the ready endpoints of its slices, in turn. Pure. */
import type { EndpointSlice } from '../../kube/objects.ts';

export interface Backend {
  readonly host: string;
  readonly port: number;
}

/** Endpoints of the named port. Ready ones; when there is none, those that still serve while they are being ended. */
export function backendsOf(slices: readonly EndpointSlice[], portName: string): Backend[] {
  const ready: Backend[] = [];
  const leaving: Backend[] = [];
  for (const slice of slices) {
    const port = slice.ports?.find((candidate) => (candidate.name ?? '') === portName)?.port;
    if (port === undefined) continue;
    for (const { addresses, conditions } of slice.endpoints) {
      const [host] = addresses;
      if (host === undefined) continue;
      if (conditions?.ready !== false) ready.push({ host, port });
      else if (conditions.serving === true && conditions.terminating === true) leaving.push({ host, port });
    }
  }
  return ready.length > 0 ? ready : leaving;
}

function hashOf(text: string): number {
  let hash = 0;
  for (const char of text) hash = (Math.imul(hash, 31) + (char.codePointAt(0) ?? 0)) >>> 0;
  return hash;
}

/** Round robin over a changing set: each call gives every backend once, starting one further than the last time. */
export class RoundRobin {
  #backends: readonly Backend[] = [];
  #next = 0;

  set(backends: readonly Backend[]): void {
    this.#backends = backends;
  }

  /** With a client's address, that client always gets the same order while the set stays (ClientIP affinity). */
  turn(client?: string): Backend[] {
    const count = this.#backends.length;
    if (count === 0) return [];
    const start = (client === undefined ? this.#next : hashOf(client)) % count;
    if (client === undefined) this.#next = start + 1;
    return [...this.#backends.slice(start), ...this.#backends.slice(0, start)];
  }
}
