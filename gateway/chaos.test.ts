/**
 * The queue under everything at once: requests of many connections come, end, leave and run out of time, while pods come, go,
 * break off and fall silent, and routes change under what waits. By seeds, on a clock of its own.
 */
import { describe, expect, test } from '@jest/globals';
import { Deadlines } from '../queue/deadlines.ts';
import { uniform } from '../stats/uniform.ts';
import type { PodAddress } from './balance/address.ts';
import type { Pod } from './balance/pod.ts';
import type { RevisionPool } from './balance/revision.ts';
import { Call, type CallEdge } from './call.ts';
import type { GateRoute } from './gate-options.ts';
import { ModelGate } from './model-gate.ts';
import { ByteBudget } from './queue/bytes.ts';
import type { Refusal } from './queue/refusal.ts';
import { route } from './testing/rig.ts';

const revisions = ['a', 'b', 'c'] as const;
const address = (name: string, ready: boolean): PodAddress => ({
  key: name,
  name,
  http: { host: name, port: 1 },
  grpc: undefined,
  ops: undefined,
  ready,
});
const noTransport = () => {
  throw new Error('nothing is sent in this test');
};

/** A request whose pod is the test. */
class Edge implements CallEdge {
  pod: Pod | undefined;
  refusal: Refusal | undefined;
  sent = 0;
  outstandingWhenSent = 0;
  call!: Call;
  send(pod: Pod): void {
    this.pod = pod;
    this.sent += 1;
    this.outstandingWhenSent = pod.outstanding;
  }
  refuse(refusal: Refusal): void {
    expect(this.refusal).toBeUndefined();
    this.refusal = refusal;
  }
  abort(): void {
    this.pod = undefined;
  }
  breakOff(): void {
    this.pod = undefined;
  }
}

const tick = () => new Promise<void>((resolve) => process.nextTick(resolve));

async function run(seed: number, steps: number): Promise<Edge[]> {
  const draw = uniform(seed);
  const below = (count: number) => Math.floor(draw() * count);
  const one = <T>(list: readonly T[]): T | undefined => list[below(list.length)];
  let now = 1_000;
  const deadlines = new Deadlines(() => now);
  const bytes = new ByteBudget(1e6, 5e5).share();
  const gate = new ModelGate({
    model: 'm',
    deadlines,
    bytes,
    unread: new ByteBudget(1e6, 5e5).share(),
    transports: { http: noTransport, grpc: noTransport },
    limits: { maxWaiting: 40, maxHoldMs: 3_000 },
    nowMs: () => now,
    wanted: () => undefined,
  });
  const connections = Array.from({ length: 6 }, () => ({}));
  const edges: Edge[] = [];
  const pools = new Set<RevisionPool<Call>>();
  const open = () => edges.filter(({ call }) => !call.isDone);
  const bound = () => edges.filter(({ call, pod }) => call.state === 'bound' && pod !== undefined);

  const setRoute = () => {
    const named = revisions.filter(() => draw() < 0.6);
    const backends = (named.length === 0 ? ['a'] : named).map((revision) => ({
      revision,
      weight: draw() < 0.2 ? 0 : below(100),
    }));
    const changes: Partial<GateRoute> = {
      backends,
      timeoutMs: 500 + below(1_000),
      shedMs: draw() < 0.2 ? 50 + below(200) : undefined,
      wake: draw() < 0.2 ? { maxHeld: 20 } : undefined,
      headers: draw() < 0.3 ? [{ name: 'x', value: 'b', revision: 'b' }] : [],
    };
    gate.setRoute(route(changes));
    for (const pool of gate.pools) pools.add(pool);
  };
  const setPods = () => {
    const revision = one(revisions) ?? 'a';
    const names = [0, 1, 2, 3].filter(() => draw() < 0.6).map((i) => `${revision}${i}`);
    gate.setPods(
      revision,
      names.map((name) => address(name, draw() < 0.8)),
    );
    for (const { ready } of gate.pools) for (const pod of ready) if (draw() < 0.3) pod.slots = 1 + below(3);
  };
  const arrive = () => {
    const edge = new Edge();
    edge.call = new Call(
      gate,
      edge,
      {
        connection: one(connections) ?? {},
        isInference: draw() < 0.9,
        pinned: draw() < 0.2 ? one(revisions) : undefined,
        timeoutMs: gate.route?.timeoutMs ?? 0,
        clientMs: draw() < 0.3 ? 20 + below(400) : undefined,
      },
      now,
    );
    edges.push(edge);
    edge.call.hold(below(1_000));
    if (draw() < 0.1) edge.call.isUploading = true;
    else edge.call.submit();
  };
  const ops: (() => void)[] = [
    arrive,
    arrive,
    arrive,
    arrive,
    setRoute,
    setPods,
    setPods,
    () => gate.setPeers({ rank: below(3), count: 1 + below(3) }),
    // A pod answers, and the client has read it.
    ...Array.from({ length: 4 }, () => () => {
      const edge = one(bound());
      edge?.call.answered(draw() < 0.9 ? 200 : 503);
      if (draw() < 0.8) edge?.call.finish(200);
    }),
    () => one(edges.filter(({ call }) => call.isAnswering))?.call.finish(200),
    // A pod breaks off.
    () =>
      one(bound())?.call.podFailed({
        message: 'broke',
        reachedPod: draw() < 0.5,
        isPodSick: draw() < 0.7,
        repeatable: draw() < 0.8,
        harmless: draw() < 0.3,
      }),
    // A client leaves, or has sent its request whole.
    () => one(open())?.call.cancel(),
    () => {
      const edge = one(open().filter(({ call }) => call.isUploading));
      if (edge === undefined) return;
      edge.call.isUploading = false;
      edge.call.submit();
    },
    () => {
      const edge = one(bound());
      edge?.call.uploadGoesOn();
      if (draw() < 0.7) edge?.call.uploadEnded();
    },
    () => {
      now += below(60);
      deadlines.advance();
    },
  ];
  setRoute();
  for (let step = 0; step < steps; step += 1) {
    now += draw() * 2;
    one(ops)?.();
    await tick();
    gate.dispatch();
    // What is counted is what there is.
    const living = open();
    expect(gate.open).toBe(living.length);
    expect(gate.waiting).toBe(
      living.filter(({ call }) => call.state === 'waiting' || call.state === 'held').length,
    );
    expect(gate.held).toBe(living.filter(({ call }) => call.state === 'held').length);
    let inFlight = 0;
    for (const pool of pools) {
      expect(pool.inFlight).toBeGreaterThanOrEqual(0);
      inFlight += pool.inFlight;
    }
    expect(gate.recorder.inFlight).toBe(inFlight);
    for (const { ready, queue } of gate.pools) {
      for (const pod of ready) expect(pod.outstanding).toBeGreaterThanOrEqual(0);
      // Nobody waits for a revision while a pod of it could take the request, but for patience with pods at home elsewhere.
      if (queue.length > 0)
        for (const pod of ready)
          if (pod.isHome && !pod.isAside(now)) expect(pod.outstanding).toBeGreaterThanOrEqual(pod.openSlots);
    }
  }
  // All that is still open comes to its end by time alone.
  gate.setRoute(route({ backends: [{ revision: 'a', weight: 1 }] }));
  for (const edge of edges.filter(({ call }) => call.isAnswering)) edge.call.finish(200);
  for (let second = 0; second < 70 && gate.open > 0; second += 1) {
    now += 1_000;
    deadlines.advance();
    await tick();
  }
  const { counters } = gate.recorder;
  expect(gate.open).toBe(0);
  expect(gate.waiting).toBe(0);
  expect(bytes.held).toBe(0);
  expect(deadlines.size).toBe(0);
  expect(gate.recorder.inFlight).toBe(0);
  expect(counters.succeeded + counters.clientErrors + counters.rejected + counters.failed).toBe(
    counters.arrivals,
  );
  gate.close();
  return edges;
}

describe('the queue', () => {
  test.each([1, 2, 3])('keeps its books under everything at once, seed %d', async (seed) => {
    const edges = await run(seed, 800);
    // The chaos must reach what it is for.
    expect(edges.filter(({ sent }) => sent > 0).length).toBeGreaterThan(50);
    expect(edges.some(({ sent }) => sent > 1)).toBe(true);
    expect(new Set(edges.map(({ refusal }) => refusal?.reason)).size).toBeGreaterThan(3);
  });
});
