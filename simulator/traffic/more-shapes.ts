/** More synthetic traffic: an hour each, of kinds that the six shapes of every run do not have. Seeded, two of each kind. */
import type { Chance } from '../chance.ts';
import { chance } from '../chance.ts';
import type { Trace } from './arrivals.ts';
import { shape } from './shapes.ts';

const seconds = 3_600;
const { exp, floor, min, PI, sin } = Math;

/** Requests per second in each second. */
type Kind = (random: Chance) => number[];

const between = (random: Chance, low: number, high: number) => low + (high - low) * random.next();
const each = (rate: (second: number) => number) => Array.from({ length: seconds }, (_, at) => rate(at));

/** Events that add to a rate; `add` gets the second since the event. */
function events(base: number, starts: readonly number[], add: () => (since: number) => number): number[] {
  const rates = new Array<number>(seconds).fill(base);
  for (const start of starts) {
    const rise = add();
    for (let at = floor(start); at < seconds; at += 1) rates[at] = (rates[at] as number) + rise(at - start);
  }
  return rates;
}

/** Starts at random, on average so many seconds apart. */
function startsOf(random: Chance, apart: number): number[] {
  const starts: number[] = [];
  for (let at = apart * random.exponential(); at < seconds; at += apart * random.exponential())
    starts.push(at);
  return starts;
}

/** Values that hold for a while each. */
function held(stay: () => number, value: () => number): number[] {
  let left = 0;
  let now = 0;
  return each(() => {
    left -= 1;
    if (left <= 0) {
      left = stay();
      now = value();
    }
    return now;
  });
}

const onOff =
  (on: number, off: number, low: number, high: number): Kind =>
  (random) => {
    let isOn = false;
    return held(
      () => {
        isOn = !isOn;
        return (isOn ? on : off) * between(random, 0.6, 1.4);
      },
      () => (isOn ? high : low),
    );
  };

/** Bursts that come at random and last as a Pareto distribution has it: many short ones, few very long ones. */
const pareto =
  (base: number, apart: number, shortest: number, exponent: number, low: number, high: number): Kind =>
  (random) =>
    events(base, startsOf(random, apart), () => {
      const length = min(900, shortest * random.next() ** (-1 / exponent));
      const height = between(random, low, high);
      return (since) => (since < length ? height : 0);
    });

const kinds: Readonly<Record<string, Kind>> = {
  // Crowds that come over 15 to 60 s and leave over some minutes.
  crowds: (random) =>
    events(30, startsOf(random, 700), () => {
      const [rise, height, fall] = [
        between(random, 15, 60),
        between(random, 60, 150),
        between(random, 60, 200),
      ];
      return (since) => (since < rise ? (height * since) / rise : height * exp((rise - since) / fall));
    }),
  'sharp-crowds': (random) =>
    events(40, startsOf(random, 400), () => {
      const [height, fall] = [between(random, 40, 160), between(random, 20, 90)];
      return (since) => height * exp(-since / fall);
    }),
  pareto: pareto(20, 25, 8, 1.4, 4, 20),
  'long-pareto': pareto(25, 60, 30, 1.3, 10, 60),
  'on-off-300s': onOff(60, 240, 30, 120),
  'on-off-240s': onOff(120, 120, 40, 140),
  'on-off-120s': onOff(30, 90, 40, 130),
  'on-off-800s': onOff(400, 400, 40, 130),
  // A batch job of 20 s each five minutes.
  cron: (random) => {
    const at = between(random, 0, 280);
    return each((second) => (second % 300 >= at && second % 300 < at + 20 ? 160 : 50));
  },
  'four-levels': (random) =>
    held(
      () => 90 * random.exponential(),
      () => [30, 60, 100, 160][floor(4 * random.next())] as number,
    ),
  levels: (random) =>
    held(
      () => between(random, 180, 360),
      () => between(random, 30, 150),
    ),
  walk: (random) => {
    let logarithm = 0;
    return each(() => {
      logarithm = 0.995 * logarithm + 0.05 * random.normal();
      return 60 * exp(logarithm);
    });
  },
  // A slow wave with small spikes on it.
  waves: (random) => {
    const spikes = events(0, startsOf(random, 240), () => {
      const height = between(random, 20, 70);
      return (since) => height * exp(-since / 45);
    });
    return each(
      (second) => 80 + 30 * sin((2 * PI * second) / 2_400) + (spikes[second] ?? 0) + 4 * random.normal(),
    );
  },
  noise: (random) => each(() => 90 + 18 * random.normal()),
  sawtooth: (random) => {
    const period = between(random, 240, 420);
    return each((second) => 30 + (110 * (second % period)) / period);
  },
  // What one replica serves, in half minutes of very different rates.
  few: (random) =>
    held(
      () => 30,
      () => 2 * (random.exponential() + random.exponential() + random.exponential()),
    ),
};

/** The shapes by name, `crowds-1` and so on. */
export const moreShapes: Readonly<Record<string, () => Trace>> = Object.fromEntries(
  Object.entries(kinds).flatMap(([kind, make], purpose) =>
    [1, 2].map((seed) => {
      const name = `${kind}-${seed}`;
      const trace = (): Trace => {
        const rates = make(chance(seed, 1_000 + purpose));
        return shape(name, seconds, (second) => Math.max(0, rates[second] ?? 0));
      };
      return [name, trace] as const;
    }),
  ),
);
