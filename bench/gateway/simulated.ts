/**
 * The same ways of balancing without a machine: the gateway's own queue and choice of pods (`ModelGate`, unchanged) on a clock
 * that jumps from event to event, in front of pods that serve one request at a time. What is left out is the network and the
 * CPU of all parts; what is left is balancing, the same figures on every machine.
 */
import type { PodAddress } from '../../gateway/balance/address.ts';
import type { Pod, PodTransports } from '../../gateway/balance/pod.ts';
import { Call, type CallEdge } from '../../gateway/call.ts';
import { ModelGate } from '../../gateway/model-gate.ts';
import { ByteBudget } from '../../gateway/queue/bytes.ts';
import { Deadlines } from '../../queue/deadlines.ts';
import { type BalancingFigures, type Way, ways } from './balancing.ts';
import { gammaOf, randomOf } from './random.ts';

export interface SimulationOptions {
  readonly pods: number;
  readonly meanMs: number;
  readonly utilisations: readonly number[];
  readonly requests: number;
  readonly seed: number;
}

/** Events in the order of their time: a binary heap. */
class Agenda {
  readonly #heap: { atMs: number; run: () => void }[] = [];

  get isEmpty(): boolean {
    return this.#heap.length === 0;
  }

  add(atMs: number, run: () => void): void {
    const heap = this.#heap;
    heap.push({ atMs, run });
    let i = heap.length - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if ((heap[parent]?.atMs ?? 0) <= atMs) break;
      this.#swap(i, parent);
      i = parent;
    }
  }

  next(): { atMs: number; run: () => void } | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (heap.length > 0 && last !== undefined) {
      heap[0] = last;
      for (let i = 0; ; ) {
        const left = 2 * i + 1;
        let least = i;
        for (const child of [left, left + 1])
          if ((heap[child]?.atMs ?? Number.POSITIVE_INFINITY) < (heap[least]?.atMs ?? 0)) least = child;
        if (least === i) break;
        this.#swap(i, least);
        i = least;
      }
    }
    return first;
  }

  #swap(a: number, b: number): void {
    const heap = this.#heap;
    const kept = heap[a] as (typeof heap)[number];
    heap[a] = heap[b] as (typeof heap)[number];
    heap[b] = kept;
  }
}

/** A pod: one request at a time, in order of arrival. */
class SimulatedPod {
  inHand = 0;
  readonly #waiting: (() => void)[] = [];
  readonly #begin: (end: () => void) => void;

  constructor(begin: (end: () => void) => void) {
    this.#begin = begin;
  }

  take(onDone: () => void): void {
    this.inHand += 1;
    this.#waiting.push(onDone);
    if (this.#waiting.length === 1) this.#serve();
  }

  #serve(): void {
    this.#begin(() => {
      const done = this.#waiting.shift();
      this.inHand -= 1;
      if (this.#waiting.length > 0) this.#serve();
      done?.();
    });
  }
}

type Send = (onDone: () => void) => void;

/** Simulates every way at every utilisation. */
export async function simulateBalancing(options: SimulationOptions): Promise<BalancingFigures[]> {
  const figures: BalancingFigures[] = [];
  for (const utilisation of options.utilisations)
    for (const way of ways) figures.push(await simulate(way, utilisation, options));
  return figures;
}

async function simulate(
  way: Way,
  utilisation: number,
  { pods: podCount, meanMs, requests, seed }: SimulationOptions,
): Promise<BalancingFigures> {
  const agenda = new Agenda();
  let nowMs = 0;
  const service = gammaOf(randomOf(seed), meanMs);
  const arrivals = randomOf(seed + 1);
  const choice = randomOf(seed + 2);
  const pods = Array.from(
    { length: podCount },
    () => new SimulatedPod((end) => agenda.add(nowMs + service(), end)),
  );
  const gateways = Number(/(\d+) gateway/.exec(way)?.[1] ?? 0);
  const gates = Array.from({ length: gateways }, (_, rank) => gateOf(pods, rank, gateways, () => nowMs));
  const send =
    gateways > 0 ? throughGates(gates, pods, choice, () => nowMs, agenda) : direct(way, pods, choice);
  const latencies: number[] = [];
  const warmUp = Math.floor(requests / 20);
  let sent = 0;
  const arrive = () => {
    const fromMs = nowMs;
    const counts = sent >= warmUp;
    sent += 1;
    send(() => {
      if (counts) latencies.push(nowMs - fromMs);
    });
    if (sent < requests + warmUp)
      agenda.add(nowMs - (Math.log(arrivals()) * meanMs) / (utilisation * podCount), arrive);
  };
  agenda.add(0, arrive);
  while (!agenda.isEmpty) {
    const event = agenda.next();
    if (event === undefined) break;
    nowMs = event.atMs;
    event.run();
    // Gates give out free slots in the next tick.
    if (gateways > 0) await new Promise((resolve) => process.nextTick(resolve));
  }
  for (const gate of gates) gate.close();
  latencies.sort((a, b) => a - b);
  const at = (share: number) => latencies[Math.max(0, Math.ceil(share * latencies.length) - 1)] ?? Number.NaN;
  return {
    way,
    utilisation,
    sent: requests,
    failed: requests - latencies.length,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    waited: 0,
  };
}

const direct = (way: Way, pods: readonly SimulatedPod[], random: () => number): Send => {
  let turn = 0;
  return (onDone) => {
    turn = (turn + 1) % pods.length;
    let best = pods[
      way === 'random' ? Math.floor(random() * pods.length) % pods.length : turn
    ] as SimulatedPod;
    if (way === 'least outstanding')
      for (let step = 1; step < pods.length; step += 1) {
        const pod = pods[(turn + step) % pods.length] as SimulatedPod;
        if (pod.inHand < best.inHand) best = pod;
      }
    best.take(onDone);
  };
};

const farMs = 1e12;
const noTransports: PodTransports = {
  http: () => {
    throw new Error('nothing is sent here');
  },
  grpc: () => {
    throw new Error('nothing is sent here');
  },
};

const gateOf = (pods: readonly SimulatedPod[], rank: number, count: number, nowMs: () => number) => {
  const gate = new ModelGate({
    model: 'bench',
    deadlines: new Deadlines(nowMs),
    bytes: new ByteBudget(1e9, 1e9).share(),
    unread: new ByteBudget(1e9, 1e9).share(),
    transports: noTransports,
    limits: { maxWaiting: 1e9, maxHoldMs: farMs },
    nowMs,
    wanted: () => undefined,
  });
  gate.setRoute({
    port: 0,
    backends: [{ revision: 'a', weight: 1 }],
    headers: [],
    timeoutMs: farMs,
    targetsMs: [],
    shedMs: undefined,
    wake: undefined,
  });
  gate.setPeers({ rank, count });
  const at = { host: 'pod', port: 0 };
  gate.setPods(
    'a',
    pods.map(
      (_, i): PodAddress => ({
        key: String(i).padStart(4, '0'),
        name: String(i),
        http: at,
        grpc: undefined,
        ops: undefined,
        ready: true,
      }),
    ),
  );
  return gate;
};

const throughGates = (
  gates: readonly ModelGate[],
  pods: readonly SimulatedPod[],
  random: () => number,
  nowMs: () => number,
  agenda: Agenda,
): Send => {
  return (onDone) => {
    const gate = gates[Math.floor(random() * gates.length) % gates.length] as ModelGate;
    const edge: CallEdge = {
      send: ({ address }: Pod) =>
        pods[Number(address.name)]?.take(() => {
          call.answered(200);
          call.finish(200);
          onDone();
        }),
      refuse: ({ message }) => {
        throw new Error(message);
      },
      abort: () => undefined,
      breakOff: () => undefined,
    };
    const call: Call = new Call(
      gate,
      edge,
      { connection: edge, isInference: true, pinned: undefined, timeoutMs: farMs, clientMs: undefined },
      nowMs(),
    );
    call.submit();
    // Its timer, on this clock.
    if (call.state === 'waiting')
      agenda.add(nowMs() + (call.pool?.patienceMs ?? 0) + 1e-6, () => gate.dispatch());
  };
};
