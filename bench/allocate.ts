/** What sharing a full cluster out over 1,000 deployments costs, each second: `npm run bench:allocate`. */
import { type AllocationDemand, allocate, noAllocation } from '../operator/model/scaling/allocate.ts';

const deployments = 1_000;
const seconds = 240;
const limitMs = 100;

/** Rates, service times and priorities as different as a large fleet's; 10 of them large. */
const demandAt = (index: number, second: number): AllocationDemand => {
  const large = index % 100 === 0;
  const rate = (large ? 800 : 4 + (index % 40)) * (1 + 0.3 * Math.sin((second + index) / 40));
  const meanSeconds = 0.02 + (index % 7) * 0.02;
  const needed = Math.ceil((rate * meanSeconds) / 0.8) + 1;
  return {
    key: `team/model-${index}`,
    pool: 'cluster',
    wanted: needed,
    current: Math.max(1, needed - 1),
    blocked: index % 10 === 0 ? 1 : 0,
    starting: 0,
    least: 1,
    weight: 1 + (index % 3),
    cost: 1,
    asks: { cpu: 1 },
    ratePerSecond: rate,
    aheadMs: 30_000,
    model: {
      service: { meanSeconds, scv: 0.3 },
      slots: 1,
      burstiness: 1.2,
      balancing: index % 2 === 0 ? 'least-outstanding' : 'random',
    },
    latency: [{ percentile: 'p99', targetMs: 1_000 }],
  };
};

let worstMs = 0;
const wanted = Array.from({ length: deployments }, (_, index) => demandAt(index, 0).wanted);
const all = wanted.reduce((sum, one) => sum + one, 0);
for (const [title, capacity] of [
  ['room for all', new Map([['cluster', 2 * all]])],
  ['room for 80 %, capacity known', new Map([['cluster', Math.floor(0.8 * all)]])],
  ['full, known by the pods that do not fit', new Map<string, number>()],
] as const) {
  let memory = noAllocation;
  const times: number[] = [];
  for (let second = 0; second < seconds; second += 1) {
    const demands = Array.from({ length: deployments }, (_, index) => demandAt(index, second));
    const began = process.cpuUsage();
    memory = allocate(demands, capacity, memory, second * 1_000).memory;
    const { user, system } = process.cpuUsage(began);
    if (second >= 60) times.push((user + system) / 1_000);
  }
  times.sort((one, other) => one - other);
  const at = (share: number) => (times[Math.floor(share * (times.length - 1))] ?? 0).toFixed(1);
  const mean = times.reduce((sum, one) => sum + one, 0) / times.length;
  worstMs = Math.max(worstMs, mean);
  console.log(
    `allocate, ${deployments} deployments, ${all} replicas wanted, ${title}: mean ${mean.toFixed(1)} ms CPU a second, p50 ${at(0.5)}, p99 ${at(0.99)}, max ${at(1)} ms`,
  );
}
console.log(
  worstMs < limitMs
    ? `MET: mean under ${limitMs} ms`
    : `MISSED: mean ${worstMs.toFixed(1)} ms, limit ${limitMs} ms`,
);
process.exitCode = worstMs < limitMs ? 0 : 1;
