/** A pod's figures in the words in which a person reads them. */
import { type Histogram, quantile } from '../../../stats/histogram.ts';

export interface Counts {
  readonly arrivals: number;
  readonly succeeded: number;
  readonly rejected: number;
  readonly failed: number;
  readonly latency: { readonly boundsMs: readonly number[]; readonly counts: readonly number[] };
  readonly capacityRowsPerSecond: number | undefined;
}

/** One figure: its name in the JSON answer, what it is, how much. */
export interface Figure {
  readonly name: string;
  readonly label: string;
  readonly text: string;
}

const none = '–';

/** Milliseconds with as many digits as matter. */
export const msText = (ms: number | undefined): string => {
  if (ms === undefined) return none;
  if (!Number.isFinite(ms)) return 'refused';
  return ms < 10 ? `${ms.toFixed(1)} ms` : ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
};

const count = (value: number) => value.toLocaleString('en-US', { maximumFractionDigits: 0 });

/** The figures of a page, since the pod's start. */
export const figuresOf = (counts: Counts): Figure[] => {
  const histogram: Histogram = { bounds: counts.latency.boundsMs, counts: counts.latency.counts };
  const { capacityRowsPerSecond: capacity } = counts;
  return [
    { name: 'requests', label: 'requests', text: count(counts.arrivals) },
    { name: 'refused', label: 'refused or failed', text: count(counts.rejected + counts.failed) },
    { name: 'p50', label: 'median latency', text: msText(quantile(histogram, 0.5)) },
    { name: 'p95', label: 'p95', text: msText(quantile(histogram, 0.95)) },
    { name: 'p99', label: 'p99', text: msText(quantile(histogram, 0.99)) },
    {
      name: 'capacity',
      label: 'capacity, rows/s',
      text: capacity === undefined ? none : count(Number(capacity.toPrecision(2))),
    },
  ];
};
