/** One operator process of the fault tests: the family controller behind leader election, wired and ended as a main would. */
import type { Clock, HeldClock } from '../../kube/clock.ts';
import { LeaderElector } from '../../kube/leader.ts';
import { gateWrites } from '../../kube/leader-gate.ts';
import { Lifecycle } from '../../kube/lifecycle.ts';
import { Family, type FamilyOptions } from './family.ts';
import type { Link, World } from './world.ts';

export interface Replica {
  readonly name: string;
  readonly link: Link;
  readonly family: Family;
  readonly elector: LeaderElector;
  readonly lifecycle: Lifecycle;
  /** Exit code, once the process ended. */
  exitCode(): number | undefined;
  exitedAtMs(): number;
}

/** The same monotonic time and timers, another opinion about the date. */
export class SkewedClock implements Clock {
  offsetMs: number;
  readonly #clock: HeldClock;

  constructor(clock: HeldClock, offsetMs: number) {
    this.#clock = clock;
    this.offsetMs = offsetMs;
  }

  now(): number {
    return this.#clock.now() + this.offsetMs;
  }

  monotonicMs(): number {
    return this.#clock.monotonicMs();
  }

  setTimer(ms: number, fn: () => void): () => void {
    return this.#clock.setTimer(ms, fn);
  }
}

/** Starts a replica with a network of its own; it competes for the lease and works while it holds it. */
export async function startReplica(
  world: World,
  name: string,
  options: Partial<FamilyOptions> & { clock?: Clock } = {},
): Promise<Replica> {
  const clock = options.clock ?? world.clock;
  const link = await world.link({ clock, userAgent: name });
  const leases = world.secondClient(link, { clock, userAgent: name });
  const elector = new LeaderElector({
    api: leases.client,
    namespace: 'default',
    name: 'family',
    identity: name,
    clock,
    random: world.random,
  });
  const family = new Family({
    api: gateWrites(link.client, () => elector.leading),
    clock,
    random: world.random,
    metrics: link.metrics,
    ...options,
  });
  const lifecycle = new Lifecycle({ clock });
  lifecycle.addCheck('watch', () =>
    family.parents.stalled || family.children.stalled ? 'the API server is silent' : undefined,
  );
  lifecycle.onStop('work', 'family', () => family.stop(20_000), 25_000);
  lifecycle.onStop('lease', 'lease', () => elector.stop());
  lifecycle.onStop('connections', 'client', async () => {
    await link.client.close();
    await leases.client.close();
  });
  let exitCode: number | undefined;
  let exitedAtMs = Number.NaN;
  const exit = (code: number) => {
    exitCode ??= code;
    if (Number.isNaN(exitedAtMs)) exitedAtMs = clock.monotonicMs();
  };
  elector.lost.addEventListener('abort', () => {
    exit(1);
    // What `process.exit(1)` does to the sockets; the code around them ends by itself here.
    void Promise.all([link.client.close(), leases.client.close(), family.stop(0), elector.stop()]);
  });
  elector.start();
  void elector.whenLeading().then(
    () => family.start(),
    () => {},
  );
  world.onClose(() => lifecycle.stop());
  return { name, link, family, elector, lifecycle, exitCode: () => exitCode, exitedAtMs: () => exitedAtMs };
}
