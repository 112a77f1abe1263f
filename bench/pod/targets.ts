/** What is to be reached (issue C, item 7, and the table "Targets" of the peers' page), judged on one run's medians. */
import type { BenchModel } from './models.ts';

/** Medians of one contender with one form of request. */
export interface Medians {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface Results {
  readonly model: BenchModel;
  /** Undefined where it was not measured in this run. */
  closed(contender: string, form: 'json' | 'binary', connections: number): Medians | undefined;
  rawRowsPerSecond(batch: number): number;
  readonly ours: { readonly startMs: number; readonly rssMb: number } | undefined;
}

export interface Verdict {
  readonly what: string;
  readonly got: number;
  readonly wanted: number;
  readonly isMet: boolean;
}

interface Peer {
  readonly form: 'json' | 'binary';
  /** At least so many times Triton's requests per second, p99 no worse. */
  readonly triton: number;
  /** At least so many times the better one of KServe and MLServer, with a third of its p99. */
  readonly others?: number;
}

const peers: Readonly<Record<string, readonly Peer[]>> = {
  tiny: [{ form: 'json', triton: 2.8, others: 10 }],
  small: [{ form: 'binary', triton: 1.75, others: 5 }],
  medium: [{ form: 'binary', triton: 1.16, others: 2.3 }],
  cls: [
    { form: 'binary', triton: 1.13 },
    { form: 'json', triton: 2 },
  ],
  magika: [{ form: 'binary', triton: 1.05 }],
};

const atLeast = (what: string, got: number, wanted: number): Verdict => ({
  what,
  got,
  wanted,
  isMet: got >= wanted,
});
const atMost = (what: string, got: number, wanted: number): Verdict => ({
  what,
  got,
  wanted,
  isMet: got <= wanted,
});

/** Every target that this model's results can be held against. */
export function verdicts(results: Results): Verdict[] {
  const { model, ours } = results;
  const list: Verdict[] = [];
  if (ours === undefined) return list;
  for (const { form, triton, others } of peers[model.name] ?? []) {
    const us = results.closed('ballast', form, 32);
    if (us === undefined) continue;
    const them = results.closed('triton', form, 32);
    if (them !== undefined) {
      list.push(
        atLeast(`${form}: times Triton's requests/s`, us.requestsPerSecond / them.requestsPerSecond, triton),
      );
      list.push(atMost(`${form}: p99 as a share of Triton's`, us.p99Ms / them.p99Ms, 1));
    }
    const users = ['kserve', 'mlserver'].flatMap((name) => results.closed(name, 'json', 32) ?? []);
    if (others === undefined || users.length === 0) continue;
    const best = users.reduce((a, b) => (a.requestsPerSecond > b.requestsPerSecond ? a : b));
    list.push(
      atLeast(
        `${form}: times the better of KServe and MLServer`,
        us.requestsPerSecond / best.requestsPerSecond,
        others,
      ),
    );
    list.push(atMost(`${form}: p99 as a share of its`, us.p99Ms / best.p99Ms, 1 / 3));
  }
  list.push(...limits(results, ours.startMs));
  list.push(atMost(`resident MB, of at most 135 + 1.1 × the file`, ours.rssMb, 135 + 1.1 * model.megabytes));
  return list;
}

function limits(results: Results, startMs: number): Verdict[] {
  const { model } = results;
  const rate = (form: 'json' | 'binary') => results.closed('ballast', form, 32)?.requestsPerSecond;
  const list: Verdict[] = [];
  if (model.name === 'tiny') {
    const constant = results.closed('constant', 'json', 32);
    const json = rate('json');
    if (constant !== undefined && json !== undefined)
      list.push(
        atLeast('share of a Node server with a constant answer', json / constant.requestsPerSecond, 0.65),
      );
    const one = results.closed('ballast', 'json', 1);
    if (one !== undefined) list.push(atMost('p50 ms at one connection', one.p50Ms, 0.2));
    list.push(atMost('ms from start to the first answer', startMs, 300));
  }
  const binary = rate('binary');
  if (binary === undefined) return list;
  if (model.name === 'medium')
    list.push(
      atLeast("share of onnxruntime's rows/s at batch 32", binary / results.rawRowsPerSecond(32), 0.85),
    );
  if (model.name === 'magika') {
    list.push(atLeast("share of onnxruntime's runs/s", binary / results.rawRowsPerSecond(1), 0.9));
    const us = results.closed('ballast', 'binary', 32);
    if (us !== undefined) list.push(atMost('p99 as a multiple of p50', us.p99Ms / us.p50Ms, 1.3));
  }
  return list;
}
