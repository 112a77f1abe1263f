/** What simulated pods and gateways answer, as the text that comes over the wire; making it is not counted as the operator's. */
import { geometricBounds } from '../../stats/histogram.ts';

const boundsMs = geometricBounds(0.5, 60_000, 10 ** 0.1);
const serviceSeconds = 0.012;
/** Every process of the world started this long before the world: the two minutes that are told are full. */
const bornSeconds = 200;
const keptSeconds = 120;

/** Requests per second of one pod in a second of the world, which begins at 0. */
export type Rate = (worldSecond: number) => number;

const fixed = (value: number) => Number(value.toFixed(6));

function secondText(end: number, arrivals: number, more = ''): string {
  const sum = fixed(arrivals * serviceSeconds);
  return `{"endMs":${end * 1_000},"arrivals":${arrivals},"completions":${arrivals},"busySeconds":${sum},"serviceCount":${arrivals},"serviceSumSeconds":${sum},"serviceSumSquares":${fixed(sum * serviceSeconds * 1.1)}${more}}`;
}

/** Arrivals so far, and a histogram with all of them 12 ms late. */
function totals(rate: Rate, untilSecond: number) {
  let arrivals = 1_000;
  for (let second = 0; second < untilSecond; second += 1) arrivals += rate(second);
  const counts = new Array<number>(boundsMs.length + 1).fill(0);
  counts[boundsMs.findIndex((bound) => bound >= 12)] = arrivals;
  return { arrivals, latency: JSON.stringify({ boundsMs, counts }) };
}

/** The answers of the pods of one rate: all but the name is the same for all that ask for as many seconds. */
export function podAnswers(rate: Rate): (instance: string, worldMs: number, sinceMs: number) => string {
  let made = { second: -1, rest: '', seconds: [] as string[] };
  return (instance, worldMs, sinceMs) => {
    const now = Math.floor(worldMs / 1_000);
    if (made.second !== now) {
      const { arrivals, latency } = totals(rate, now);
      const sum = fixed(arrivals * serviceSeconds);
      const seconds = Array.from({ length: keptSeconds }, (_, index) => {
        const world = now - keptSeconds + index;
        return secondText(bornSeconds + world + 1, rate(Math.max(0, world)));
      });
      made = {
        second: now,
        rest: `"startedAtMs":0,"uptimeMs":${(bornSeconds + now) * 1_000},"ready":true,"draining":false,"revision":"a","modelSha256":"${'a'.repeat(64)}","parallelism":1,"counters":{"arrivals":${arrivals},"succeeded":${arrivals},"clientErrors":0,"rejected":0,"failed":0,"busySeconds":${sum},"serviceCount":${arrivals},"serviceSumSeconds":${sum},"serviceSumSquares":${sum}},"queueLength":0,"inFlight":0,"oldestWaitMs":0,"latency":${latency},"seconds":[`,
        seconds,
      };
    }
    const newer = Math.min(keptSeconds, Math.max(0, bornSeconds + now - Math.floor(sinceMs / 1_000)));
    const told = newer === 0 ? '' : made.seconds.slice(-newer).join();
    return `{"version":1,"instance":"${instance}",${made.rest}${told}]}`;
  };
}

const gatewaySecondMore = (arrivals: number) =>
  `,"succeeded":${arrivals},"clientErrors":0,"rejected":0,"failed":0,"mostWaiting":0`;

/** The answers of gateways that hold these models, each with `rate` arriving at one gateway. */
export function gatewayAnswers(models: readonly string[], rate: Rate) {
  return (instance: string, worldMs: number, sinceMs: number): string => {
    const now = Math.floor(worldMs / 1_000);
    const { arrivals, latency } = totals(rate, now);
    const sum = fixed(arrivals * serviceSeconds);
    const outcomes = `"succeeded":${arrivals},"clientErrors":0,"rejected":0,"failed":0`;
    const service = `"serviceCount":${arrivals},"serviceSumSeconds":${sum},"serviceSumSquares":${sum}`;
    const seconds: string[] = [];
    for (let world = now - keptSeconds; world < now; world += 1) {
      const end = bornSeconds + world + 1;
      const count = rate(Math.max(0, world));
      if (end * 1_000 > sinceMs && count > 0) seconds.push(secondText(end, count, gatewaySecondMore(count)));
    }
    const rest = `"counters":{${outcomes},${service},"arrivals":${arrivals},"busySeconds":${sum},"wakes":0},"queueLength":0,"held":0,"inFlight":0,"oldestWaitMs":0,"latency":${latency},"seconds":[${seconds.join()}],"revisions":[{"revision":"a","weight":10000,"bound":${arrivals},"inFlight":0,"readyPods":50,"asidePods":0,"slots":50,"slotsPerPod":1,${outcomes},${service}}]}`;
    const told = models.map((model, index) => `{"model":"${model}","port":${20_000 + index},${rest}`);
    return `{"version":1,"instance":"${instance}","startedAtMs":0,"uptimeMs":${(bornSeconds + now) * 1_000},"ready":true,"draining":false,"models":[${told.join()}]}`;
  };
}
