/** Worlds told second by second: what is asked for runs a while later, and the world may answer to it. */
import { decide, initialState } from '../decide.ts';
import type { Decision, Observation, ScalingState } from '../types.ts';
import { input, observation, pods } from './build.ts';
import { type GatewayLoad, gateway } from './gateway.ts';

const at = 1_000_000;

/**
 * Decides each second on what is told of the world; what is asked for runs `startSeconds` later. `remembered`: what is known of
 * the state before a second, as a restart leaves of it.
 */
export function tell(
  seconds: number,
  world: (second: number, ready: number, nowMs: number) => Observation,
  spec = input({ balancing: 'least-outstanding', maxReplicas: 100 }),
  first = 4,
  startSeconds = 10,
  remembered: (state: ScalingState, second: number, nowMs: number) => ScalingState = (state) => state,
) {
  let state: ScalingState = initialState;
  let ready = first;
  let asked = first;
  const due: { at: number; replicas: number }[] = [];
  const decisions: Decision[] = [];
  for (let second = 0; second < seconds; second += 1) {
    const nowMs = at + second * 1_000;
    while ((due[0]?.at ?? Number.POSITIVE_INFINITY) <= second)
      ready = Math.max(ready, due.shift()?.replicas ?? 0);
    const decision = decide(
      remembered(state, second, nowMs),
      { ...world(second, ready, nowMs), replicas: asked, startingReplicas: Math.max(0, asked - ready) },
      spec,
      nowMs,
    );
    decisions.push(decision);
    state = decision.next;
    if (decision.replicas > asked) due.push({ at: second + startSeconds, replicas: decision.replicas });
    asked = decision.replicas;
    ready = Math.min(ready, asked);
  }
  const counts = decisions.map(({ replicas }) => replicas);
  return { decisions, counts, last: decisions.at(-1) as Decision, peak: Math.max(...counts) };
}

export const uptime = (second: number) => ({ uptimeSeconds: 100 + second });

/** Gateway and pods that both tell of a rate by second; `more`: what is told besides in a second. */
export const behindGateway =
  (
    rateOf: (second: number) => number,
    more: (second: number) => Omit<Partial<GatewayLoad>, 'rate'> = () => ({}),
  ) =>
  (second: number, ready: number, nowMs: number): Observation => {
    const { serviceMs = 12, ...told } = more(second);
    return {
      ...observation(
        pods(ready, nowMs, rateOf(second), {
          ...uptime(second),
          serviceMs,
          counters: { arrivals: 1e6 + second },
        }),
      ),
      gateways: [
        gateway('a', nowMs, {
          rate: (end) => rateOf(end - 100),
          arrivals: 1e6 + second,
          ...uptime(second),
          ...told,
        }),
      ],
      expectedGateways: 1,
    };
  };
