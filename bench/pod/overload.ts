/** Overload: requests at random moments at a share of the pod's capacity, from half of it to three times as many. */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Exchange } from './exchange.ts';
import type { OpenLoopFigures, OpenLoopOptions } from './open-loop.ts';
import { slaMs } from './ours.ts';
import { cores } from './server-process.ts';
import type { Verdict } from './targets.ts';

export interface OverloadFigures extends OpenLoopFigures {
  /** Offered load as a share of what the pod can do. */
  readonly share: number;
}

const shares = [0.5, 0.8, 1.2, 3] as const;
const seconds = 6;

/** Measures each share of a capacity in requests per second. */
export async function measureOverload(
  exchange: Exchange,
  capacity: number,
  directory: string,
  say: (line: string) => void,
): Promise<OverloadFigures[]> {
  const bodyPath = join(directory, 'open-loop-body');
  writeFileSync(bodyPath, exchange.body);
  const figures: OverloadFigures[] = [];
  for (const share of shares) {
    say(`overload: ${Math.round(share * 100)} % of ${capacity.toFixed(0)} requests/s`);
    const options: OpenLoopOptions = {
      ...{ url: exchange.url, headers: exchange.headers, bodyPath, seconds },
      ...{ perSecond: capacity * share, withinMs: slaMs, seed: 11 },
    };
    figures.push({ share, ...(await pinned(options)) });
  }
  return figures;
}

async function pinned(options: OpenLoopOptions): Promise<OpenLoopFigures> {
  const argv = [
    '-c',
    cores.client,
    process.execPath,
    join(import.meta.dirname, 'open-loop.ts'),
    JSON.stringify(options),
  ];
  const child = spawn('taskset', argv, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  for await (const chunk of child.stdout) output += String(chunk);
  return JSON.parse(output) as OpenLoopFigures;
}

/** At three times the capacity, nine tenths of the best goodput, and what is accepted inside the promise. */
export function overloadVerdicts(figures: readonly OverloadFigures[]): Verdict[] {
  const worst = figures.at(-1);
  if (worst === undefined) return [];
  const best = Math.max(...figures.map(({ goodPerSecond }) => goodPerSecond));
  const kept = worst.goodPerSecond / best;
  return [
    {
      what: `goodput at ${worst.share * 100} % as a share of the best`,
      got: kept,
      wanted: 0.9,
      isMet: kept >= 0.9,
    },
    {
      what: `p99 ms of the accepted at ${worst.share * 100} %`,
      got: worst.p99Ms,
      wanted: slaMs,
      isMet: worst.p99Ms <= slaMs,
    },
  ];
}
