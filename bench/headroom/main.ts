/**
 * `npm run bench:headroom [-- --rise SECONDS --delay 30s --to RATE]`: a ramp with and without `scaling.headroom` on a real
 * control plane that real Karpenter grows (`npm run kube:build` first). Nodes and the readiness of pods are KWOK's, so no
 * pod serves: the load that the operator reads is made up, and what callers would have seen is reckoned from the pods that
 * were really Ready in each second.
 */
import { parseArgs } from 'node:util';
import { startBed } from '../../test/kube/grow/bed.ts';
import { type Ramp, type RampResult, ramp } from './run.ts';

const { values } = parseArgs({
  options: {
    from: { type: 'string', default: '60' },
    to: { type: 'string', default: '600' },
    rise: { type: 'string', default: '120' },
    stay: { type: 'string', default: '60' },
    delay: { type: 'string', default: '30s' },
    only: { type: 'string', default: '' },
  },
});
const plan: Ramp = {
  from: Number(values.from),
  to: Number(values.to),
  riseSeconds: Number(values.rise),
  staySeconds: Number(values.stay),
  nodeDelay: values.delay,
};
const variants: [name: string, headroom: Record<string, unknown> | undefined][] = [
  ['none', undefined],
  ['replicas', { replicas: 4 }],
  ['forecast', { forecast: '1m' }],
  ['both', { replicas: 4, forecast: '1m' }],
];

const middle = (samples: readonly number[]) => {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted.length === 0 ? '-' : `${sorted[Math.floor(sorted.length / 2)]} (at most ${sorted.at(-1)})`;
};

function row(name: string, result: RampResult): string {
  const cells = [
    name,
    result.violatedSeconds,
    `${(result.lateShare * 100).toFixed(1)} %`,
    result.nodeHours.toFixed(3),
    result.cpuHours.toFixed(3),
    result.price.toFixed(4),
    result.mostReplicas,
    middle(result.nodeWaits),
    middle(result.podStarts),
  ];
  return `| ${cells.join(' | ')} |`;
}

const bed = await startBed((line) => console.error(line));
try {
  console.log(
    `a ramp from ${plan.from} to ${plan.to} requests/s in ${plan.riseSeconds} s, ${plan.staySeconds} s there; a new node takes ${plan.nodeDelay}; the promise is p95 50 ms, a request takes 12 ms`,
  );
  console.log(
    '| headroom | seconds of violation | late | node-hours | CPU-hours | price | replicas | s until a node, median | s from there to Ready |',
  );
  console.log('|---|---|---|---|---|---|---|---|---|');
  for (const [name, headroom] of variants) {
    if (values.only !== '' && !values.only.split(',').includes(name)) continue;
    const result = await ramp(bed, `ramp-${name}`, headroom, plan);
    console.log(row(name === 'none' ? 'none' : JSON.stringify(headroom).replaceAll('"', ''), result));
    console.error(`${name}: room before the ramp: ${result.room}`);
  }
} finally {
  await bed.stop();
}
