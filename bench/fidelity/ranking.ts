/** Whether the simulator ranks two autoscalers as the real cluster did, and where its error lies when it does not. */
import type { LiveOutcome } from './live-run.ts';
import type { Simulated } from './simulated.ts';

const mean = (values: readonly number[]) => values.reduce((sum, one) => sum + one, 0) / values.length;
const keys = ['violations', 'replicaSeconds'] as const;

type Compared = (typeof keys)[number] | 'situations';

export interface Ran {
  readonly name: string;
  readonly live: Pick<LiveOutcome, Compared>;
  readonly simulated: readonly Pick<Simulated, Compared | 'stretch'>[];
  /** Mean service time of the real run over that before it. */
  readonly stretch: number;
}

/** Half of what the seeds lie apart: as much chance alone does to one run of these minutes. */
const chanceOf = (key: (typeof keys)[number], { simulated }: Ran) => {
  const values = simulated.map((one) => one[key]);
  return (Math.max(...values) - Math.min(...values)) / 2;
};

/** Who has less of two. A difference below a tenth, or that chance alone makes, is none. */
export function lessOf(one: number, other: number, chance: number): 'first' | 'second' | 'neither' {
  if (Math.abs(one - other) <= Math.max(0.1 * Math.max(one, other), chance)) return 'neither';
  return one < other ? 'first' : 'second';
}

/** What one run's simulation gets wrong, largest first, in words. */
function errorOf({ name, live, simulated, stretch }: Ran): string {
  const points = (value: number) => `${value >= 0 ? '+' : ''}${(100 * value).toFixed(2)}`;
  const of = (key: 'whileStarting' | 'settled' | 'startingTime') =>
    mean(simulated.map(({ situations }) => situations[key])) - live.situations[key];
  const said = mean(simulated.map((one) => one.stretch));
  return `${name}: simulated less real ${points(of('whileStarting'))} points while pods started or were new (${points(of('startingTime'))} % of the time), ${points(of('settled'))} points while all were there; service ${said.toFixed(2)} times that before and really ${stretch.toFixed(2)}`;
}

/** The verdict on each figure, with where the error lies for one that differs. */
export function verdict(first: Ran, second: Ran): string[] {
  const lines: string[] = [];
  let differs = false;
  for (const key of keys) {
    const chance = Math.max(chanceOf(key, first), chanceOf(key, second));
    const named = { first: first.name, second: second.name, neither: 'neither' };
    const real = lessOf(first.live[key], second.live[key], chance);
    const of = ({ simulated }: Ran) => mean(simulated.map((one) => one[key]));
    const said = lessOf(of(first), of(second), chance);
    differs ||= real !== said;
    lines.push(
      `fewer ${key === 'violations' ? 'violations' : 'replica-seconds'}: really ${named[real]}, in the simulator ${named[said]}: ${real === said ? 'AGREES' : 'DIFFERS'}`,
    );
  }
  return differs ? [...lines, errorOf(first), errorOf(second)] : lines;
}
