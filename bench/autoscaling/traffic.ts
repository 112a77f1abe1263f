/** Which traffic is replayed: the files that are named, else the shared traces and the synthetic shapes. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Trace } from '../../simulator/traffic/arrivals.ts';
import { cut, durationOf, meanRate } from '../../simulator/traffic/arrivals.ts';
import { isBursty, sharpestRise } from '../../simulator/traffic/character.ts';
import { readTrace } from '../../simulator/traffic/file.ts';
import { moreShapes } from '../../simulator/traffic/more-shapes.ts';
import { shapes } from '../../simulator/traffic/shapes.ts';
import type { Options } from './options.ts';
import { OptionError } from './options.ts';

export type Kind = 'smooth' | 'bursty' | 'step' | 'spike';

export interface Traffic {
  readonly trace: Trace;
  readonly kind: Kind;
  /** One line about it. */
  readonly note: string;
}

const longestHours = 6;
/** Where the shared traces lie, outside of the project. */
export const shared = join(import.meta.dirname, '../../../shared/traces');

/** Real traffic that the default run takes, beside the synthetic shapes. */
const defaults: readonly { file: string; series?: string; kind?: Kind }[] = [
  { file: 'autothrottle/diurnal.txt' },
  { file: 'autothrottle/bursty.txt' },
  { file: 'azure-llm-2023/AzureLLMInferenceTrace_code.csv' },
];

function fromFile(path: string, options: Options, series = options.series): Traffic {
  const parsed = readTrace(path, options.form, series);
  const { trace } = parsed;
  const seconds = durationOf(trace);
  if (options.from >= seconds)
    throw new OptionError(`--from ${options.from}: the trace ends after ${seconds} s`);
  const wanted = (options.hours ?? Math.min(longestHours, seconds / 3_600)) * 3_600;
  const part = cut(trace, options.from, Math.min(wanted, seconds - options.from), options.scale);
  const several = parsed.series.length > 1 && series === undefined ? '; --series NAME takes one' : '';
  const shortened =
    options.hours === undefined && seconds - options.from > longestHours * 3_600
      ? `; the first ${longestHours} h of ${(seconds / 3_600).toFixed(1)} (--hours takes more)`
      : '';
  return described(part, `${parsed.note}${several}${shortened}`, options.kind);
}

function described(trace: Trace, note: string, kind?: Kind): Traffic {
  const found =
    kind ??
    (trace.name === 'step' || trace.name === 'spike' ? trace.name : isBursty(trace) ? 'bursty' : 'smooth');
  const peak = trace.counts.reduce((most, count) => Math.max(most, count), 0) / trace.bucketSeconds;
  if (meanRate(trace) === 0)
    throw new OptionError(`${trace.name}: holds no request in the part that is replayed`);
  return {
    trace,
    kind: found,
    note: `${trace.name}: ${note}; ${(durationOf(trace) / 60).toFixed(0)} min, mean ${meanRate(trace).toFixed(1)} req/s, peak ${peak.toFixed(1)}; sharpest rise ${sharpestRise(trace).toFixed(2)}×, taken as ${found}`,
  };
}

/** All traffic of a run. */
export function trafficOf(options: Options): Traffic[] {
  const traffic = options.traces.map((path) => fromFile(path, options));
  const names = options.shapes.flatMap((name) => (name === 'more' ? Object.keys(moreShapes) : [name]));
  const named = names.map((name) => {
    const make = shapes[name] ?? moreShapes[name];
    if (make === undefined)
      throw new OptionError(
        `--shape ${name}: there are ${Object.keys(shapes).join(', ')}; and with more: ${Object.keys(moreShapes).join(', ')}`,
      );
    return described(cut(make(), 0, 1e9, options.scale), 'synthetic', options.kind);
  });
  const asked = [...traffic, ...named];
  if (asked.length > 0) {
    const distinct = new Set(asked.map(({ trace }) => trace.name));
    if (distinct.size < asked.length)
      throw new OptionError('two of the traces have the same name: give them one by one');
    return asked;
  }
  const real = defaults.filter(({ file }) => existsSync(join(shared, file)));
  return [
    ...real.map(({ file, series }) => fromFile(join(shared, file), options, series)),
    ...Object.values(shapes).map((make) => described(make(), 'synthetic')),
  ];
}
